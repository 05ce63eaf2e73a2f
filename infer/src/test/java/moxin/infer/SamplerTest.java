package moxin.infer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import moxin.infer.SamplingOptions.Penalties;
import moxin.model.Logits;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;

@Seeded
final class SamplerTest {
  /// Probabilities 0.1, 0.4, 0.2, 0.3.
  private static final Logits LOGITS =
      new Logits(1, 4, new float[] {log(0.1), log(0.4), log(0.2), log(0.3)});

  @Test
  void greedyTakesTheMostProbable() {
    assertThat(new Sampler(SamplingOptions.greedy()).sample(LOGITS, 0)).isEqualTo(1);
  }

  @Test
  void zerosOfBothSignsAreATie() {
    Logits zeros = new Logits(1, 3, new float[] {-0f, 0f, -0f});
    assertThat(new Sampler(SamplingOptions.greedy()).sample(zeros, 0)).isZero();
    assertThat(new Sampler(SamplingOptions.of(1, 3)).sample(zeros, 0)).isBetween(0, 2);
  }

  @Test
  void frequenciesFollowTheProbabilities() {
    assertThat(frequencies(SamplingOptions.of(1, 7)))
        .containsExactly(new double[] {0.1, 0.4, 0.2, 0.3}, within(0.02));
  }

  @Test
  void topKKeepsTheMostProbable() {
    assertThat(frequencies(new SamplingOptions(1, 2, 1, 0, 7)))
        .containsExactly(new double[] {0, 4 / 7.0, 0, 3 / 7.0}, within(0.02));
  }

  @Test
  void topPKeepsTheFewestThatReachTheSum() {
    assertThat(frequencies(new SamplingOptions(1, 0, 0.75, 0, 7)))
        .containsExactly(new double[] {0, 4 / 9.0, 2 / 9.0, 3 / 9.0}, within(0.02));
  }

  @Test
  void minPKeepsThoseNearTheMostProbable() {
    assertThat(frequencies(new SamplingOptions(1, 0, 1, 0.6, 7)))
        .containsExactly(new double[] {0, 4 / 7.0, 0, 3 / 7.0}, within(0.02));
  }

  @Test
  void aSeedDrawsTheSameTokens() {
    assertThat(draws(SamplingOptions.of(1, 3), 50)).isEqualTo(draws(SamplingOptions.of(1, 3), 50));
    assertThat(draws(SamplingOptions.of(1, 3), 50))
        .isNotEqualTo(draws(SamplingOptions.of(1, 4), 50));
  }

  @Test
  void senselessOptionsAreRefused() {
    assertThatThrownBy(() -> new SamplingOptions(-1, 0, 1, 0, 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new SamplingOptions(1, 0, Double.NaN, 0, 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void distributionsAreThoseOfTheDocumentation(Random random) {
    for (int round = 0; round < 600; round++) {
      Logits logits = randomLogits(random, SIZES[random.nextInt(SIZES.length)]);
      SamplingOptions options = randomOptions(random);
      List<SortedSampler.Candidate> expected = SortedSampler.distribution(logits, options);
      Sampler.Distribution actual =
          new Sampler(options).distribution(logits, 0, all(logits.vocabSize()));
      assertThat(actual.ids())
          .as("%s", options)
          .containsExactly(expected.stream().mapToInt(SortedSampler.Candidate::id).toArray());
      assertThat(actual.probabilities())
          .containsExactly(
              expected.stream().mapToDouble(SortedSampler.Candidate::probability).toArray(),
              within(1e-12));
    }
  }

  @Test
  void drawsFollowTheDistribution(Random random) {
    for (int round = 0; round < 40; round++) {
      Logits logits = randomLogits(random, SIZES[random.nextInt(SIZES.length)]);
      SamplingOptions options = randomOptions(random);
      Sampler sampler = new Sampler(options);
      Sampler.Distribution exact = sampler.distribution(logits, 0, all(logits.vocabSize()));
      int[] counts = new int[logits.vocabSize()];
      int draws = 20_000;
      for (int i = 0; i < draws; i++) {
        counts[sampler.sample(logits, 0)]++;
      }
      double chiSquare = 0;
      int cells = 0;
      double restExpected = 0;
      int restCount = draws;
      for (int i = 0; i < exact.ids().length; i++) {
        double expected = exact.probabilities()[i] * draws;
        if (expected >= 5) {
          chiSquare += Math.pow(counts[exact.ids()[i]] - expected, 2) / expected;
          cells++;
          restCount -= counts[exact.ids()[i]];
        } else {
          restExpected += expected;
        }
      }
      if (restExpected >= 5) {
        chiSquare += Math.pow(restCount - restExpected, 2) / restExpected;
        cells++;
      }
      // Wilson and Hilferty's normal approximation; 4 deviations are one draw in 30 thousand.
      double freedom = Math.max(1, cells - 1);
      double deviation =
          (Math.cbrt(chiSquare / freedom) - 1 + 2 / (9 * freedom)) / Math.sqrt(2 / (9 * freedom));
      assertThat(deviation).as("%s", options).isLessThan(4);
    }
  }

  @Test
  void onlyAllowedTokensAreDrawn(Random random) {
    Logits logits = randomLogits(random, 257);
    long[] allowed = new long[5];
    for (int id : new int[] {3, 64, 130, 256}) {
      allowed[id >>> 6] |= 1L << id;
    }
    Sampler sampler = new Sampler(SamplingOptions.of(3, 5));
    for (int i = 0; i < 200; i++) {
      assertThat(sampler.sample(logits, 0, allowed)).isIn(3, 64, 130, 256);
    }
    assertThat(new Sampler(SamplingOptions.greedy()).sample(logits, 0, allowed))
        .isIn(3, 64, 130, 256);
    assertThat(sampler.sample(logits, 0, new long[5])).isEqualTo(Sampler.NONE);
    assertThat(new Sampler(SamplingOptions.greedy()).sample(logits, 0, new long[5]))
        .isEqualTo(Sampler.NONE);
  }

  @Test
  void penaltiesCountWhatIsInTheWindow() {
    Logits logits = new Logits(1, 4, new float[] {2, -2, 1, 0});
    Penalties penalties = new Penalties(2, 0.25, 0.5, 4);
    Sampler sampler = new Sampler(SamplingOptions.of(1, 1).withPenalties(penalties));
    sampler.acceptPrompt(3, 2, 0);
    sampler.accept(1);
    sampler.accept(0);
    sampler.accept(0);
    // The window is 0 1 0 0, the first from the prompt.
    double[] expected = {2 / 2.0 - 0.25 - 2 * 0.5, -2 * 2 - 0.25 - 0.5, 1, 0};
    double sum = DoubleStream.of(expected).map(Math::exp).sum();
    Sampler.Distribution actual = sampler.distribution(logits, 0, all(4));
    assertThat(actual.ids()).containsExactly(2, 3, 0, 1);
    for (int i = 0; i < 4; i++) {
      assertThat(actual.probabilities()[i])
          .isEqualTo(Math.exp(expected[actual.ids()[i]]) / sum, within(1e-9));
    }
  }

  @Test
  void biasMovesAndForbidsTokens() {
    SamplingOptions options =
        SamplingOptions.greedy().withLogitBias(Map.of(1, Double.NEGATIVE_INFINITY, 0, 1.2));
    assertThat(new Sampler(options).sample(LOGITS, 0)).isZero();
  }

  @Test
  void logitsThatAreNotFiniteAreRefused() {
    for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      Logits logits = new Logits(1, 2, new float[] {bad, bad});
      for (SamplingOptions options : List.of(SamplingOptions.greedy(), SamplingOptions.of(1, 1))) {
        assertThatThrownBy(() -> new Sampler(options).sample(logits, 0))
            .isInstanceOf(IllegalArgumentException.class);
      }
    }
    Logits some = new Logits(1, 3, new float[] {0, Float.NaN, Float.NEGATIVE_INFINITY});
    assertThat(new Sampler(SamplingOptions.of(100, 3)).sample(some, 0)).isZero();
  }

  private static final int[] SIZES = {1, 7, 8, 13, 32, 33, 257, 5000};

  private static Logits randomLogits(Random random, int size) {
    float scale = random.nextInt(3) == 0 ? 0.5f : 4;
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) random.nextGaussian() * scale;
      if (random.nextInt(4) == 0) {
        values[i] = Math.round(values[i]);
      }
    }
    return new Logits(1, size, values);
  }

  private static SamplingOptions randomOptions(Random random) {
    SamplingOptions options = SamplingOptions.of(0.3 + random.nextDouble(), random.nextLong());
    if (random.nextBoolean()) {
      options = options.withTopK(1 + random.nextInt(60));
    }
    if (random.nextBoolean()) {
      options = options.withTopP(0.05 + 0.95 * random.nextDouble());
    }
    if (random.nextBoolean()) {
      options = options.withMinP(random.nextDouble() * 0.3);
    }
    if (random.nextInt(3) == 0) {
      options = options.withTypicalP(0.2 + 0.7 * random.nextDouble());
    }
    return random.nextBoolean() ? options : options.withLogitBias(Map.of(0, 1.5));
  }

  private static long[] all(int vocabSize) {
    long[] words = new long[(vocabSize + 63) / 64];
    Arrays.fill(words, -1);
    return words;
  }

  private static double[] frequencies(SamplingOptions options) {
    int[] draws = draws(options, 10_000);
    return IntStream.range(0, 4)
        .mapToDouble(id -> IntStream.of(draws).filter(draw -> draw == id).count() / 10_000.0)
        .toArray();
  }

  private static int[] draws(SamplingOptions options, int count) {
    Sampler sampler = new Sampler(options);
    return IntStream.range(0, count).map(_ -> sampler.sample(LOGITS, 0)).toArray();
  }

  private static float log(double probability) {
    return (float) Math.log(probability);
  }
}
