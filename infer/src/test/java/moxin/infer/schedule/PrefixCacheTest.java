package moxin.infer.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import moxin.model.LanguageModel;
import moxin.model.LanguageModel.Session;
import moxin.model.LogitRows;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;

@Seeded
final class PrefixCacheTest {
  private static final CacheSize SIZE = tokens -> 100L * tokens;

  @Test
  void theLongestSharedPrefixIsFound(Random random) {
    HashModel model = HashModel.plain();
    List<int[]> kept = new ArrayList<>();
    try (PrefixCache cache = new PrefixCache(Long.MAX_VALUE, SIZE)) {
      for (int i = 0; i < 300; i++) {
        int[] text = text(random, kept);
        PrefixCache.Match match = cache.find(text);
        int expected = kept.stream().mapToInt(other -> common(text, other)).max().orElse(0);
        assertThat(match.shared()).isEqualTo(expected);
        assertThat(match.reusable()).isEqualTo(expected < PrefixCache.MIN_SHARED ? 0 : expected);
        match.fork().ifPresent(Session::close);
        if (text.length >= PrefixCache.MIN_SHARED) {
          cache.keep(text, text.length, session(model, text));
          kept.add(text);
        }
      }
    }
    assertThat(model.open).hasValue(0);
  }

  /// A text that begins like one of `others`, or like none.
  private static int[] text(Random random, List<int[]> others) {
    int[] text = random.ints(1 + random.nextInt(90), 3, 6).toArray();
    if (!others.isEmpty() && random.nextInt(4) > 0) {
      int[] other = others.get(random.nextInt(others.size()));
      int same = random.nextInt(Math.min(text.length, other.length) + 1);
      System.arraycopy(other, 0, text, 0, same);
    }
    return text;
  }

  private static int common(int[] text, int[] other) {
    int mismatch = Arrays.mismatch(text, other);
    return Math.min(text.length - 1, mismatch < 0 ? text.length : mismatch);
  }

  private static Session session(LanguageModel model, int[] text) {
    Session session = model.newSession();
    session.ingest(text, LogitRows.NONE);
    return session;
  }

  @Test
  void whatIsFoundIsRightAndWithinTheBudgetWhateverHappens(Random random) {
    for (OptionalInt window : List.of(OptionalInt.empty(), OptionalInt.of(11))) {
      HashModel model = new HashModel(4, 3, window, 20, n -> n);
      List<int[]> texts = new ArrayList<>();
      long budget = 30_000;
      int found = 0;
      try (PrefixCache cache = new PrefixCache(budget, SIZE)) {
        for (int i = 0; i < 2000; i++) {
          int[] text = text(random, texts);
          if (text.length >= PrefixCache.MIN_SHARED) {
            texts.add(text);
          }
          found += serve(model, cache, text) > 0 ? 1 : 0;
          assertThat(cache.bytes()).isLessThanOrEqualTo(budget);
          assertThat(model.open).hasValue(cache.sessions());
          if (texts.size() > 60) {
            texts.remove(random.nextInt(texts.size()));
          }
        }
      }
      assertThat(found).isGreaterThan(40);
      assertThat(model.open).hasValue(0);
    }
  }

  /// Does what a scheduler does with a prompt; returns how much of it was reused.
  private static int serve(HashModel model, PrefixCache cache, int[] text) {
    PrefixCache.Match match = cache.find(text);
    assertThat(match.awaited()).isFalse();
    Optional<Session> fork = match.fork();
    try (Session session = fork.orElseGet(model::newSession);
        Session alone = model.newSession()) {
      cache.remember(text);
      if (cache.worthKeeping(match)) {
        cache.await(text, match.shared());
        assertThat(cache.find(text).awaited()).isTrue();
        if (text.length % 5 == 0) {
          cache.forsake(text, match.shared());
        } else {
          session.ingest(
              Arrays.copyOfRange(text, session.position(), match.shared()), LogitRows.NONE);
          cache.keep(text, match.shared(), session.fork(match.shared()));
        }
        assertThat(cache.find(text).awaited()).isFalse();
      }
      int[] rest = Arrays.copyOfRange(text, session.position(), text.length);
      assertThat(session.ingest(rest, LogitRows.LAST).values())
          .isEqualTo(alone.ingest(text, LogitRows.LAST).values());
      cache.keep(text, text.length, session.fork(text.length));
    }
    return match.reusable();
  }

  @Test
  void theLeastRecentlyUsedGoesFirst() {
    HashModel model = HashModel.plain();
    int[] first = text(3, 100);
    int[] second = text(4, 100);
    int[] third = text(5, 100);
    try (PrefixCache cache = new PrefixCache(21_000, SIZE)) {
      cache.keep(first, 100, session(model, first));
      cache.keep(second, 100, session(model, second));
      assertThat(cache.find(first).reusable()).isEqualTo(99);
      cache.keep(third, 100, session(model, third));
      assertThat(cache.find(first).reusable()).isEqualTo(99);
      assertThat(cache.find(second).reusable()).isZero();
      assertThat(cache.find(third).reusable()).isEqualTo(99);
    }
  }

  private static int[] text(int id, int length) {
    int[] text = new int[length];
    Arrays.fill(text, id);
    return text;
  }

  @Test
  void aSessionThatDoesNotFitIsClosedAndAwaitedNoLonger() {
    HashModel model = HashModel.plain();
    int[] text = text(3, 100);
    try (PrefixCache cache = new PrefixCache(5_000, SIZE)) {
      cache.remember(text);
      assertThat(cache.worthKeeping(cache.find(text))).isFalse();
      cache.await(text, 99);
      cache.keep(text, 99, session(model, Arrays.copyOf(text, 99)));
      assertThat(model.open).hasValue(0);
      assertThat(cache.find(text).awaited()).isFalse();
    }
  }

  @Test
  void aLongerSessionStandsForTheShorterOnesItCanGoBackTo() {
    HashModel model = HashModel.plain();
    int[] text = text(3, 100);
    try (PrefixCache cache = new PrefixCache(Long.MAX_VALUE, SIZE)) {
      cache.keep(text, 40, session(model, Arrays.copyOf(text, 40)));
      cache.keep(text, 100, session(model, text));
      assertThat(cache.sessions()).isEqualTo(1);
      assertThat(cache.find(Arrays.copyOf(text, 50)).reusable()).isEqualTo(49);
    }
  }
}
