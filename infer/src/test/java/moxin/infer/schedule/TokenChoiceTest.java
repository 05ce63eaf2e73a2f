package moxin.infer.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import moxin.infer.Sampler;
import moxin.infer.SamplingOptions;
import moxin.model.Logits;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;

/// Whatever is proposed, what is chosen has the sampler's distribution: chi-square over many draws.
@Seeded
final class TokenChoiceTest {
  private static final int DRAWS = 60_000;
  private static final List<SamplingOptions> OPTIONS =
      List.of(
          new SamplingOptions(1, 0, 1, 0, 5),
          new SamplingOptions(0.7, 7, 1, 0, 6),
          new SamplingOptions(1.3, 0, 0.8, 0, 7),
          new SamplingOptions(1, 9, 0.9, 0.05, 8),
          new SamplingOptions(1, 0, 1, 0.2, 9));

  @Test
  void distributionIsThatOfTheSampler(Random random) {
    for (SamplingOptions options : OPTIONS) {
      Logits logits = logits(random, 13);
      Sampler sampler = new Sampler(options);
      int[] counts = new int[13];
      for (int i = 0; i < DRAWS; i++) {
        counts[sampler.sample(logits, 0)]++;
      }
      assertFits(counts, ReferenceDistribution.of(logits, 0, options));
    }
  }

  @Test
  void tiesGoToTheLowerIds() {
    Logits flat = new Logits(1, 7, new float[7]);
    TokenDistribution two = ReferenceDistribution.of(flat, 0, new SamplingOptions(1, 2, 1, 0, 0));
    assertThat(IntStream.range(0, 7).mapToDouble(two::probability))
        .containsExactly(0.5, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0);
  }

  @Test
  void aProposalWithoutChanceChangesNoDistribution(Random random) {
    for (SamplingOptions options : OPTIONS) {
      Logits logits = logits(random, 8);
      TokenChoice choice = new TokenChoice.Agreement();
      Sampler sampler = new Sampler(options);
      int[] counts = new int[8];
      for (int i = 0; i < DRAWS; i++) {
        counts[choose(choice, sampler, logits, Draft.of(new int[] {i % 3}))]++;
      }
      assertFits(counts, ReferenceDistribution.of(logits, 0, options));
    }
  }

  @Test
  void aDrawnProposalChangesNoDistribution(Random random) {
    for (SamplingOptions options : OPTIONS) {
      Logits wanted = logits(random, 13);
      Logits drafted = logits(random, 13);
      assertFits(draw(wanted, drafted, options), ReferenceDistribution.of(wanted, 0, options));
    }
  }

  @Test
  void aDrawnProposalFromTheSameDistributionIsAlwaysAccepted(Random random) {
    SamplingOptions options = SamplingOptions.of(1, 3);
    Logits logits = logits(random, 33);
    TokenDistribution same = ReferenceDistribution.of(logits, 0, options);
    TokenChoice choice = new TokenChoice.Rejection(new SplittableRandom(4));
    Sampler sampler = new Sampler(options);
    SplittableRandom draws = new SplittableRandom(5);
    for (int i = 0; i < 1000; i++) {
      int proposed = same.draw(draws);
      assertThat(choose(choice, sampler, logits, new Draft(new int[] {proposed}, List.of(same))))
          .isEqualTo(proposed);
    }
  }

  @Test
  void acceptanceIsWhatTheTheorySays(Random random) {
    SamplingOptions options = SamplingOptions.of(1, 3);
    Logits wanted = logits(random, 13);
    TokenDistribution p = ReferenceDistribution.of(wanted, 0, options);
    TokenDistribution q = ReferenceDistribution.of(logits(random, 13), 0, options);
    double expected =
        IntStream.range(0, 13).mapToDouble(i -> Math.min(p.probability(i), q.probability(i))).sum();
    SplittableRandom chance = new SplittableRandom(9);
    TokenChoice choice = new TokenChoice.Rejection(chance);
    Sampler sampler = new Sampler(options);
    int accepted = 0;
    for (int i = 0; i < DRAWS; i++) {
      int proposed = q.draw(chance);
      Draft draft = new Draft(new int[] {proposed}, List.of(q));
      accepted += choose(choice, sampler, wanted, draft) == proposed ? 1 : 0;
    }
    double deviation = Math.sqrt(expected * (1 - expected) / DRAWS);
    assertThat((double) accepted / DRAWS).isCloseTo(expected, within(5 * deviation));
  }

  private static int[] draw(Logits wanted, Logits drafted, SamplingOptions options) {
    TokenDistribution q = ReferenceDistribution.of(drafted, 0, options);
    SplittableRandom chance = new SplittableRandom(options.seed());
    TokenChoice choice = new TokenChoice.Rejection(chance);
    Sampler sampler = new Sampler(options);
    int[] counts = new int[wanted.vocabSize()];
    for (int i = 0; i < DRAWS; i++) {
      Draft draft = new Draft(new int[] {q.draw(chance)}, List.of(q));
      counts[choose(choice, sampler, wanted, draft)]++;
    }
    return counts;
  }

  private static int choose(TokenChoice choice, Sampler sampler, Logits logits, Draft draft) {
    return choice.choose(sampler, logits, 0, new long[] {-1}, draft);
  }

  static Logits logits(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian() * 1.5f;
    }
    return new Logits(1, count, values);
  }

  /// Fails where the counts would be as far off once in ten million runs, by the approximation of
  /// Wilson and Hilferty.
  static void assertFits(int[] counts, TokenDistribution expected) {
    int total = Arrays.stream(counts).sum();
    List<double[]> cells = new ArrayList<>();
    for (int id = 0; id < counts.length; id++) {
      if (expected.probability(id) == 0) {
        assertThat(counts[id]).as("count of impossible token " + id).isZero();
      } else {
        cells.add(new double[] {counts[id], total * expected.probability(id)});
      }
    }
    double square = 0;
    for (double[] cell : cells) {
      square += (cell[0] - cell[1]) * (cell[0] - cell[1]) / cell[1];
    }
    int freedom = cells.size() - 1;
    if (freedom > 0) {
      double spread = 2 / (9.0 * freedom);
      double limit = freedom * Math.pow(1 - spread + 5.2 * Math.sqrt(spread), 3);
      assertThat(square).as("chi-square of " + Arrays.toString(counts)).isLessThan(limit);
    }
  }
}
