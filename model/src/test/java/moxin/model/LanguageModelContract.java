package moxin.model;

import static moxin.model.TinyModels.VOCAB_SIZE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import moxin.model.LanguageModel.Ingestion;
import moxin.model.LanguageModel.Session;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;

/// The laws of [LanguageModel]. The test of an implementation extends this class and says how far
/// two ways of computing the same logits may differ.
@Seeded
public abstract class LanguageModelContract {

  /// A model of the implementation under test.
  protected abstract LanguageModel open(ModelConfig config, Checkpoint weights);

  /// How far logits may differ, absolutely, between two ways to compute them that the laws call the
  /// same. Zero asks for the same bits.
  protected abstract double tolerance();

  @Test
  void anyChunksGiveTheLogitsOfTheWhole(Random random) {
    try (LanguageModel model = windowed(OptionalInt.of(13), random)) {
      chunksGiveTheWhole(model, TinyModels.ids(random, 600));
    }
  }

  @Test
  void anyChunksGiveTheLogitsOfTheWholeWithoutWindow(Random random) {
    try (LanguageModel model = windowed(OptionalInt.empty(), random)) {
      chunksGiveTheWhole(model, TinyModels.ids(random, 300));
    }
  }

  private void chunksGiveTheWhole(LanguageModel model, int[] ids) {
    float[] expected = whole(model, ids);
    for (int chunk : new int[] {1, 7, 8, 13, 32, 33, 257}) {
      try (Session session = model.newSession()) {
        for (int at = 0; at < ids.length; at += chunk) {
          int end = Math.min(ids.length, at + chunk);
          assertSame(
              session.ingest(Arrays.copyOfRange(ids, at, end), LogitRows.ALL).values(),
              rows(expected, at, end));
        }
      }
    }
  }

  @Test
  void sessionsInABatchAreAsIfAlone(Random random) {
    try (LanguageModel model = windowed(OptionalInt.of(8), random)) {
      List<Session> sessions = new ArrayList<>();
      List<int[]> texts = new ArrayList<>();
      for (int length : new int[] {1, 300, 13, 33}) {
        sessions.add(model.newSession());
        texts.add(TinyModels.ids(random, length + 2));
      }
      List<Ingestion> prefill = new ArrayList<>();
      List<Ingestion> decode = new ArrayList<>();
      for (int i = 0; i < texts.size(); i++) {
        int[] ids = texts.get(i);
        int[] head = Arrays.copyOf(ids, ids.length - 1);
        prefill.add(new Ingestion(sessions.get(i), head, LogitRows.ALL));
        int[] last = {ids[ids.length - 1]};
        decode.add(new Ingestion(sessions.get(i), last, LogitRows.LAST));
      }
      List<Logits> heads = model.ingest(prefill);
      List<Logits> lasts = model.ingest(decode.reversed()).reversed();
      for (int i = 0; i < texts.size(); i++) {
        int last = texts.get(i).length - 1;
        float[] alone = whole(model, texts.get(i));
        assertSame(heads.get(i).values(), rows(alone, 0, last));
        assertSame(lasts.get(i).values(), rows(alone, last, last + 1));
      }
      sessions.forEach(Session::close);
    }
  }

  @Test
  void wantedRowsAreThoseOfAllRows(Random random) {
    try (LanguageModel model = windowed(OptionalInt.of(8), random);
        Session all = model.newSession();
        Session last = model.newSession();
        Session none = model.newSession()) {
      int[] ids = TinyModels.ids(random, 33);
      List<Logits> logits =
          model.ingest(
              List.of(
                  new Ingestion(none, ids, LogitRows.NONE),
                  new Ingestion(all, ids, LogitRows.ALL),
                  new Ingestion(last, ids, LogitRows.LAST)));
      assertThat(logits.stream().map(Logits::rows)).containsExactly(0, 33, 1);
      assertSame(logits.get(2).row(0), logits.get(1).row(32));
      assertThat(List.of(none.position(), all.position(), last.position())).containsOnly(33);
    }
  }

  @Test
  void anyMixtureOfWantedRowsIsGiven(Random random) {
    try (LanguageModel model = windowed(OptionalInt.of(8), random)) {
      for (int run = 0; run < 40; run++) {
        List<Session> sessions = new ArrayList<>();
        List<Ingestion> ingestions = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
          sessions.add(model.newSession());
          LogitRows rows =
              List.of(LogitRows.NONE, LogitRows.LAST, LogitRows.ALL).get(random.nextInt(3));
          int[] ids = TinyModels.ids(random, 1 + random.nextInt(3));
          ingestions.add(new Ingestion(sessions.get(i), ids, rows));
        }
        List<Logits> logits = model.ingest(ingestions);
        for (int i = 0; i < 4; i++) {
          int[] ids = ingestions.get(i).tokens();
          int wanted =
              switch (ingestions.get(i).rows()) {
                case NONE -> 0;
                case LAST -> 1;
                case ALL -> ids.length;
              };
          assertThat(logits.get(i).rows()).isEqualTo(wanted);
          assertSame(
              Arrays.copyOf(logits.get(i).values(), wanted * VOCAB_SIZE),
              rows(whole(model, ids), ids.length - wanted, ids.length));
        }
        sessions.forEach(Session::close);
      }
    }
  }

  @Test
  void rewindForgetsLaterPositions(Random random) {
    try (LanguageModel model = windowed(OptionalInt.empty(), random);
        Session session = model.newSession()) {
      int[] ids = TinyModels.ids(random, 50);
      float[] expected = whole(model, ids);
      session.ingest(ids, LogitRows.NONE);
      session.rewindTo(20);
      session.ingest(TinyModels.ids(random, 9), LogitRows.NONE);
      session.rewindTo(20);
      assertThat(session.position()).isEqualTo(20);
      assertSame(
          session.ingest(Arrays.copyOfRange(ids, 20, 50), LogitRows.ALL).values(),
          rows(expected, 20, 50));
      session.rewindTo(0);
      assertSame(session.ingest(ids, LogitRows.ALL).values(), expected);
    }
  }

  @Test
  void rewindWorksWhereverItIsPromisedAndIsRefusedElsewhere(Random random) {
    try (LanguageModel model = windowed(OptionalInt.of(8), random);
        Session session = model.newSession()) {
      int[] ids = TinyModels.ids(random, 700);
      float[] expected = whole(model, ids);
      session.ingest(ids, LogitRows.NONE);
      for (int position : new int[] {-1, 701}) {
        assertThat(session.canRewindTo(position)).isFalse();
        assertThatThrownBy(() -> session.rewindTo(position))
            .isInstanceOf(IllegalArgumentException.class);
      }
      assertThat(session.canRewindTo(700)).isTrue();
      int earliest = 0;
      while (!session.canRewindTo(earliest)) {
        earliest++;
      }
      if (earliest > 0) {
        int refused = earliest - 1;
        assertThatThrownBy(() -> session.rewindTo(refused))
            .isInstanceOf(IllegalArgumentException.class);
      }
      session.rewindTo(earliest);
      assertSame(
          session.ingest(Arrays.copyOfRange(ids, earliest, 700), LogitRows.ALL).values(),
          rows(expected, earliest, 700));
    }
  }

  @Test
  void whatIsWithinTheRewindReachCanBeForgotten(Random random) {
    for (OptionalInt window : List.of(OptionalInt.of(8), OptionalInt.empty())) {
      try (LanguageModel model = windowed(window, random);
          Session session = model.newSession()) {
        int[] ids = TinyModels.ids(random, 460);
        float[] expected = whole(model, ids);
        for (int at = 0; at < 400; at += 57) {
          int reach = Math.min(session.rewindReach(), TinyModels.POSITIONS - at);
          assertThat(reach).isPositive();
          session.ingest(TinyModels.ids(random, reach), LogitRows.NONE);
          session.rewindTo(at);
          int end = at + Math.min(57, session.rewindReach());
          assertSame(
              session.ingest(Arrays.copyOfRange(ids, at, end), LogitRows.ALL).values(),
              rows(expected, at, end));
          if (end < at + 57) {
            session.ingest(Arrays.copyOfRange(ids, end, at + 57), LogitRows.NONE);
          }
        }
      }
    }
  }

  @Test
  void aForkGoesOnAsIfItHadBeenGivenThePrefixAlone(Random random) {
    for (OptionalInt window : List.of(OptionalInt.of(8), OptionalInt.empty())) {
      try (LanguageModel model = windowed(window, random);
          Session session = model.newSession()) {
        int[] ids = TinyModels.ids(random, 600);
        for (int held : new int[] {0, 1, 7, 33, 257, 600}) {
          if (held > 0) {
            session.ingest(Arrays.copyOfRange(ids, session.position(), held), LogitRows.NONE);
          }
          forksAgree(model, session, Arrays.copyOf(ids, held), random);
        }
      }
    }
  }

  private void forksAgree(LanguageModel model, Session session, int[] ids, Random random) {
    for (int position : new int[] {0, ids.length / 2, ids.length - 13, ids.length}) {
      if (!session.canRewindTo(position)) {
        assertThatThrownBy(() -> session.fork(position))
            .isInstanceOf(IllegalArgumentException.class);
        continue;
      }
      int[] tail = TinyModels.ids(random, 40);
      float[] expected = whole(model, concatenated(Arrays.copyOf(ids, position), tail));
      try (Session fork = session.fork(position)) {
        assertThat(fork.position()).isEqualTo(position);
        assertSame(
            fork.ingest(tail, LogitRows.ALL).values(), rows(expected, position, position + 40));
        assertThat(session.position()).isEqualTo(ids.length);
      }
    }
  }

  @Test
  void neitherAForkNorItsOriginNoticesTheOther(Random random) {
    for (OptionalInt window : List.of(OptionalInt.of(8), OptionalInt.empty())) {
      try (LanguageModel model = windowed(window, random)) {
        int[] ids = TinyModels.ids(random, 340);
        int[] others = concatenated(Arrays.copyOf(ids, 300), TinyModels.ids(random, 40));
        float[] expected = whole(model, ids);
        Session origin = model.newSession();
        origin.ingest(Arrays.copyOf(ids, 300), LogitRows.NONE);
        Session fork = origin.fork(300);
        for (int at = 300; at < 320; at++) {
          origin.ingest(new int[] {others[at]}, LogitRows.NONE);
          assertSame(
              fork.ingest(new int[] {ids[at]}, LogitRows.LAST).values(),
              rows(expected, at, at + 1));
        }
        origin.close();
        assertSame(
            fork.ingest(Arrays.copyOfRange(ids, 320, 340), LogitRows.ALL).values(),
            rows(expected, 320, 340));
        fork.close();
      }
    }
  }

  @Test
  void tokensBehindTheWindowsOfAllLayersHaveNoInfluence(Random random) {
    int window = 8;
    try (LanguageModel model = windowed(OptionalInt.of(window), random)) {
      int reach = model.config().numHiddenLayers() * (window - 1);
      int[] ids = TinyModels.ids(random, 40);
      float[] before = whole(model, ids);
      ids[3] = (ids[3] + 1) % VOCAB_SIZE;
      float[] after = whole(model, ids);
      assertSame(rows(after, 0, 3), rows(before, 0, 3));
      assertThat(distance(rows(after, 3 + window - 1, 3 + window), rows(before, 10, 11)))
          .isGreaterThan(1e-4);
      assertSame(rows(after, 3 + reach + 1, 40), rows(before, 3 + reach + 1, 40));
    }
  }

  @Test
  void windowAsLongAsTheTextIsNoWindow(Random random) {
    Checkpoint weights =
        TinyModels.weights(TinyModels.config(OptionalInt.empty()), DType.F32, random);
    int[] ids = TinyModels.ids(random, 33);
    try (LanguageModel narrow = open(TinyModels.config(OptionalInt.of(33)), weights);
        LanguageModel full = open(TinyModels.config(OptionalInt.empty()), weights)) {
      assertSame(whole(narrow, ids), whole(full, ids));
    }
  }

  @Test
  void sessionsDoNotKnowEachOther(Random random) {
    try (LanguageModel model = windowed(OptionalInt.of(8), random);
        Session one = model.newSession();
        Session other = model.newSession()) {
      int[] ids = TinyModels.ids(random, 33);
      float[] expected = whole(model, ids);
      for (int i = 0; i < ids.length; i++) {
        float[] actual = one.ingest(new int[] {ids[i]}, LogitRows.LAST).values();
        other.ingest(TinyModels.ids(random, 3), LogitRows.NONE);
        assertSame(actual, rows(expected, i, i + 1));
      }
      assertThat(other.position()).isEqualTo(99);
    }
  }

  @Test
  void wrongTokensAreRefusedAndChangeNothing(Random random) {
    try (LanguageModel model = windowed(OptionalInt.empty(), random);
        Session session = model.newSession();
        Session other = model.newSession()) {
      int tooMany = TinyModels.POSITIONS + 1;
      for (int[] tokens : List.of(new int[] {VOCAB_SIZE}, new int[] {-1}, new int[tooMany])) {
        Ingestion good = new Ingestion(other, new int[] {1}, LogitRows.LAST);
        Ingestion bad = new Ingestion(session, tokens, LogitRows.LAST);
        assertThatThrownBy(() -> model.ingest(List.of(good, bad)))
            .isInstanceOf(IllegalArgumentException.class);
      }
      assertThatThrownBy(() -> session.ingest(new int[0], LogitRows.LAST))
          .isInstanceOf(IllegalArgumentException.class);
      assertThat(session.position()).isZero();
      assertThat(other.position()).isZero();
    }
  }

  @Test
  void wrongSessionsAreRefused(Random random) {
    try (LanguageModel model = windowed(OptionalInt.empty(), random);
        LanguageModel stranger = windowed(OptionalInt.empty(), random);
        Session session = model.newSession()) {
      Ingestion one = new Ingestion(session, new int[] {1}, LogitRows.LAST);
      assertThatThrownBy(() -> model.ingest(List.of(one, one)))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> stranger.ingest(List.of(one)))
          .isInstanceOf(IllegalArgumentException.class);
      assertThat(session.position()).isZero();
    }
  }

  private LanguageModel windowed(OptionalInt window, Random random) {
    ModelConfig config = TinyModels.config(window);
    return open(config, TinyModels.weights(config, DType.F32, random));
  }

  private static float[] whole(LanguageModel model, int[] ids) {
    try (Session session = model.newSession()) {
      return session.ingest(ids, LogitRows.ALL).values();
    }
  }

  private static int[] concatenated(int[] head, int[] tail) {
    int[] all = Arrays.copyOf(head, head.length + tail.length);
    System.arraycopy(tail, 0, all, head.length, tail.length);
    return all;
  }

  private static float[] rows(float[] logits, int from, int to) {
    return Arrays.copyOfRange(logits, from * VOCAB_SIZE, to * VOCAB_SIZE);
  }

  private void assertSame(float[] actual, float[] expected) {
    if (tolerance() == 0) {
      assertThat(actual).isEqualTo(expected);
    } else {
      assertThat(actual).hasSameSizeAs(expected);
      assertThat(distance(actual, expected)).isLessThanOrEqualTo(tolerance());
    }
  }

  private static double distance(float[] a, float[] b) {
    double largest = 0;
    for (int i = 0; i < a.length; i++) {
      double difference = Math.abs((double) a[i] - b[i]);
      largest = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(largest, difference);
    }
    return largest;
  }
}
