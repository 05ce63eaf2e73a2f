package moxin.infer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.IntStream;
import moxin.model.Logits;
import org.junit.jupiter.api.Test;

final class SamplerTest {
  /// Probabilities 0.1, 0.4, 0.2, 0.3.
  private static final Logits LOGITS =
      new Logits(1, 4, new float[] {log(0.1), log(0.4), log(0.2), log(0.3)});

  @Test
  void greedyTakesTheMostProbable() {
    assertThat(new Sampler(SamplingOptions.greedy()).sample(LOGITS, 0)).isEqualTo(1);
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
