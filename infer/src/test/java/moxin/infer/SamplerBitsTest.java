package moxin.infer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import moxin.model.Logits;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The token drawn is the one that plain sums and a full sort draw, whatever is not computed.
@Seeded
class SamplerBitsTest {
  private static final double[][] SHAPES = {
    // temperature, top-k, top-p
    {1, 0, 0.9}, {1, 0, 1}, {0.7, 0, 0.95}, {3, 0, 0.5}, {0.01, 0, 0.99}, {1, 40, 0.9}, {100, 0, 1}
  };

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 8, 13, 32, 33, 257, 4099, 32000})
  void randomLogits(int vocabSize, Random random) {
    for (double[] shape : SHAPES) {
      Sampler sampler = new Sampler(options(shape, 5));
      Plain plain = new Plain(shape, 5);
      for (int round = 0; round < (vocabSize > 4000 ? 12 : 60); round++) {
        double spread = Math.exp(random.nextGaussian() * 1.5);
        Logits logits = logits(vocabSize, i -> random.nextGaussian() * spread);
        assertThat(sampler.sample(logits, 0)).isEqualTo(plain.sample(logits));
      }
    }
  }

  @Test
  void sumsThatMeetTheShareExactly(Random random) {
    for (double share : new double[] {0.25, 0.5, 0.75, 1}) {
      for (int vocabSize : new int[] {4, 64, 1024, 8192}) {
        double[] shape = {1, 0, share};
        Sampler sampler = new Sampler(options(shape, random.nextInt()));
        Logits equal = logits(vocabSize, i -> 3);
        Sampler.Distribution kept = sampler.distribution(equal, 0);
        assertThat(kept.ids()).hasSize((int) (vocabSize * share));
      }
    }
  }

  @Test
  void whatIsNoCandidateIsLeftOut(Random random) {
    double[] shape = {1, 0, 0.9};
    Sampler sampler = new Sampler(options(shape, 9));
    Plain plain = new Plain(shape, 9);
    for (int round = 0; round < 100; round++) {
      float[] values = new float[257];
      for (int i = 0; i < values.length; i++) {
        values[i] =
            switch (random.nextInt(4)) {
              case 0 -> Float.NEGATIVE_INFINITY;
              case 1 -> Float.NaN;
              case 2 -> -Float.MAX_VALUE;
              default -> (float) random.nextGaussian();
            };
      }
      values[random.nextInt(values.length)] = 2;
      Logits logits = new Logits(1, values.length, values);
      assertThat(sampler.sample(logits, 0)).isEqualTo(plain.sample(logits));
    }
  }

  @Test
  void theQuickSumIsWithinItsError(Random random) {
    TokenRanking ranking = new TokenRanking();
    for (double temperature : new double[] {0.001, 0.1, 1, 7, 1000}) {
      float[] values = new float[100_003];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) (random.nextGaussian() * 20);
      }
      long[] all = new long[values.length / Long.SIZE + 1];
      Arrays.fill(all, -1);
      ranking.reset(values, values.length, all);
      double exact = 0;
      for (float value : values) {
        exact += Math.exp(((double) value - ranking.max()) / temperature);
      }
      // A tenth of what is promised, which covers larger vocabularies as well.
      assertThat(ExponentialSum.of(ranking, temperature))
          .isCloseTo(exact, within(0.1 * ExponentialSum.RELATIVE_ERROR * exact));
    }
  }

  private static SamplingOptions options(double[] shape, long seed) {
    return new SamplingOptions(shape[0], (int) shape[1], shape[2], 0, seed);
  }

  private static Logits logits(int vocabSize, IntToDoubleFunction value) {
    float[] values = new float[vocabSize];
    for (int i = 0; i < vocabSize; i++) {
      values[i] = (float) value.applyAsDouble(i);
    }
    return new Logits(1, vocabSize, values);
  }

  /// Temperature, top-k and top-p in plain sums, and SplitMix64.
  private static final class Plain {
    private final double temperature;
    private final int topK;
    private final double topP;
    private long state;

    Plain(double[] shape, long seed) {
      temperature = shape[0];
      topK = (int) shape[1];
      topP = shape[2];
      state = seed;
    }

    int sample(Logits logits) {
      List<Integer> ids =
          IntStream.range(0, logits.vocabSize())
              .filter(id -> logits.at(0, id) > Float.NEGATIVE_INFINITY)
              .boxed()
              .toList();
      List<Integer> ranked =
          ids.stream()
              .sorted(
                  Comparator.comparingDouble((Integer id) -> -logits.at(0, id) + 0.0)
                      .thenComparing(id -> id))
              .toList();
      double max = logits.at(0, ranked.getFirst());
      boolean cut = topK > 0 && topK < ranked.size();
      if (cut) {
        ranked = ranked.subList(0, topK);
      }
      double all = sum(logits, cut ? ranked : ids, max);
      if (topP < 1) {
        int count = 0;
        for (double sum = 0; count < ranked.size() && sum < topP * all; count++) {
          sum += weight(logits, ranked.get(count), max);
        }
        ranked = ranked.subList(0, count);
        all = sum(logits, ranked, max);
      }
      double target = next() * all;
      double sum = 0;
      for (int id : ranked) {
        sum += weight(logits, id, max);
        if (target < sum) {
          return id;
        }
      }
      return ranked.getLast();
    }

    private double sum(Logits logits, List<Integer> ids, double max) {
      double sum = 0;
      for (int id : ids) {
        sum += weight(logits, id, max);
      }
      return sum;
    }

    private double weight(Logits logits, int id, double max) {
      return Math.exp((logits.at(0, id) - max) / temperature);
    }

    private double next() {
      state += 0x9E3779B97F4A7C15L;
      long z = state;
      z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
      z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
      return ((z ^ (z >>> 31)) >>> 11) * 0x1.0p-53;
    }
  }
}
