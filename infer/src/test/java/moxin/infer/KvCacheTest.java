package moxin.infer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import moxin.model.DType;
import moxin.model.LanguageModel.Session;
import moxin.model.LogitRows;
import moxin.model.ModelConfig;
import moxin.model.TinyModels;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Pages that sessions with a common beginning share.
@Seeded
class KvCacheTest {
  private static final int FORKS = 8;
  private static final int PREFIX = 257;

  @Test
  void sessionsThatBeginAlikeHaveTheirBeginningOnce(Random random) {
    try (CpuModel model = model(OptionalInt.empty(), KvType.F16, random);
        Session origin = model.newSession()) {
      origin.ingest(ids(random, PREFIX), LogitRows.NONE);
      int before = pages(List.of(origin)).size();
      assertThat(before).isEqualTo((PREFIX + KvCache.BLOCK - 1) / KvCache.BLOCK);
      List<Session> sessions = new ArrayList<>(List.of(origin));
      for (int i = 0; i < FORKS; i++) {
        sessions.add(origin.fork(PREFIX));
      }
      assertThat(pages(sessions)).hasSize(before);
      for (Session fork : sessions.subList(1, sessions.size())) {
        fork.ingest(ids(random, 7), LogitRows.NONE);
      }
      // The page that the prefix ends in is each fork's own.
      assertThat(pages(sessions)).hasSize(before + FORKS);
      sessions.subList(1, sessions.size()).forEach(Session::close);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0, F32",
    "0, F16",
    "0, Q8",
    "1, F16",
    "7, F32",
    "13, BF16",
    "32, F16",
    "33, Q8",
    "257, F32"
  })
  void whoWritesFirstChangesNoBit(int window, KvType type, Random random) {
    OptionalInt sliding = window == 0 ? OptionalInt.empty() : OptionalInt.of(window);
    try (CpuModel model = model(sliding, type, random)) {
      int[] prefix = ids(random, PREFIX);
      List<Session> sessions = new ArrayList<>();
      List<int[]> texts = new ArrayList<>();
      Session origin = model.newSession();
      origin.ingest(prefix, LogitRows.NONE);
      sessions.add(origin);
      texts.add(prefix);
      for (int i = 0; i < 40; i++) {
        int chosen = random.nextInt(sessions.size());
        Session session = sessions.get(chosen);
        if (sessions.size() < FORKS && random.nextBoolean()) {
          int at = session.position() - random.nextInt(2);
          if (session.canRewindTo(at)) {
            sessions.add(session.fork(at));
            texts.add(Arrays.copyOf(texts.get(chosen), at));
          }
        }
        int[] more = ids(random, 1 + random.nextInt(random.nextBoolean() ? 3 : 70));
        float[] actual = session.ingest(more, LogitRows.LAST).values();
        texts.set(chosen, concat(texts.get(chosen), more));
        try (Session alone = model.newSession()) {
          assertThat(actual).isEqualTo(alone.ingest(texts.get(chosen), LogitRows.LAST).values());
        }
      }
      sessions.forEach(Session::close);
    }
  }

  @Test
  void pagesOutliveTheirOriginAndAreFreedWithTheLastFork(Random random) {
    try (CpuModel model = model(OptionalInt.of(33), KvType.F16, random)) {
      Session origin = model.newSession();
      origin.ingest(ids(random, PREFIX), LogitRows.NONE);
      List<KvPage> pages = ((CpuSession) origin).cache().pages();
      Session fork = origin.fork(PREFIX);
      origin.close();
      assertThat(pages).allMatch(page -> page.memory().scope().isAlive());
      fork.ingest(ids(random, 1), LogitRows.LAST);
      fork.close();
      assertThat(pages).noneMatch(page -> page.memory().scope().isAlive());
    }
  }

  @ParameterizedTest
  @EnumSource(KvType.class)
  void aRollingForkTakesOnlyThePagesThatItWrites(KvType type, Random random) {
    try (CpuModel model = model(OptionalInt.of(64), type, random);
        Session origin = model.newSession()) {
      origin.ingest(ids(random, 1000), LogitRows.NONE);
      int before = pages(List.of(origin)).size();
      try (Session fork = origin.fork(1000)) {
        fork.ingest(ids(random, 33), LogitRows.NONE);
        assertThat(pages(List.of(origin, fork))).hasSize(before + 2);
        fork.ingest(ids(random, 1000), LogitRows.NONE);
        assertThat(pages(List.of(origin, fork))).hasSize(2 * before);
      }
      assertThat(pages(List.of(origin))).noneMatch(KvPage::isShared);
    }
  }

  @Test
  void whatWasNotReservedIsNotWritten(Random random) {
    ModelConfig config = TinyModels.config(OptionalInt.empty());
    float[] vectors = new float[config.numKeyValueHeads() * config.headDim()];
    try (KvCache cache = new KvCache(config, KvType.F32, 1)) {
      assertThatThrownBy(() -> cache.put(0, 0, vectors, vectors))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("position 0 was never reserved");
    }
  }

  private static Set<KvPage> pages(List<Session> sessions) {
    Set<KvPage> pages = Collections.newSetFromMap(new IdentityHashMap<>());
    sessions.forEach(session -> pages.addAll(((CpuSession) session).cache().pages()));
    return pages;
  }

  private static CpuModel model(OptionalInt window, KvType type, Random random) {
    ModelConfig small = TinyModels.config(window);
    ModelConfig config =
        new ModelConfig(
            small.modelType(),
            small.vocabSize(),
            small.hiddenSize(),
            small.intermediateSize(),
            small.numHiddenLayers(),
            small.numAttentionHeads(),
            small.numKeyValueHeads(),
            small.headDim(),
            small.rmsNormEps(),
            small.ropeTheta(),
            window,
            8192,
            small.tieWordEmbeddings(),
            small.bosTokenId(),
            small.eosTokenIds(),
            small.initializerRange());
    return CpuModel.of(
        config,
        TinyModels.weights(config, DType.F32, random),
        EngineOptions.defaults().withKvType(type));
  }

  private static int[] ids(Random random, int count) {
    return TinyModels.ids(random, count);
  }

  private static int[] concat(int[] one, int[] other) {
    int[] both = Arrays.copyOf(one, one.length + other.length);
    System.arraycopy(other, 0, both, one.length, other.length);
    return both;
  }
}
