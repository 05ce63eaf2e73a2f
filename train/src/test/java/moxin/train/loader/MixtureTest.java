package moxin.train.loader;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.LongStream;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;

@Seeded
final class MixtureTest {

  @Test
  void theOrderFoundByBisectionIsTheOneThatIsDrawn(Random random) {
    for (int round = 0; round < 40; round++) {
      int sources = 1 + random.nextInt(5);
      double[] shares = random.doubles(sources, 0.01, 1).toArray();
      if (round % 3 == 0) {
        Arrays.fill(shares, 1); // every row has a rival that is due at the same time
      }
      long[] limits = new long[sources];
      for (int i = 0; i < sources; i++) {
        limits[i] = random.nextInt(3) == 0 ? 1 + random.nextInt(60) : Long.MAX_VALUE;
      }
      Mixture mixture = new Mixture(shares, limits);
      long rows = Math.min(300, mixture.rows());
      long[] drawn = new long[sources];
      for (long row = 0; row < rows; row++) {
        assertThat(mixture.after(row)).as("round %d, row %d", round, row).isEqualTo(drawn);
        int source = mixture.next(drawn);
        assertThat(mixture.before(source, drawn[source])).isEqualTo(row);
        drawn[source]++;
      }
      if (rows == mixture.rows()) {
        assertThat(mixture.next(drawn)).isEqualTo(-1);
        assertThat(drawn).isEqualTo(limits);
      }
    }
  }

  @Test
  void noSourceIsEverFarFromItsShare(Random random) {
    double[] shares = {0.45, 0.40, 0.1, 0.05};
    Mixture mixture = new Mixture(shares, unlimited(4));
    for (int i = 0; i < 200; i++) {
      long rows = random.nextLong(1L << 40);
      long[] drawn = mixture.after(rows);
      assertThat(LongStream.of(drawn).sum()).isEqualTo(rows);
      for (int source = 0; source < 4; source++) {
        assertThat(Math.abs(drawn[source] - shares[source] * rows))
            .as("source %d after %d rows", source, rows)
            .isLessThanOrEqualTo(0.5 + 4 * shares[source] / 2 + 1e-3);
      }
    }
  }

  @Test
  void whenOneSourceIsExhaustedTheOthersKeepTheirRatio() {
    Mixture mixture =
        new Mixture(new double[] {2, 1, 7}, new long[] {Long.MAX_VALUE, 1L << 60, 10});
    long[] drawn = mixture.after(3010);
    assertThat(drawn[2]).isEqualTo(10);
    assertThat(drawn[0]).isBetween(1999L, 2001L);
    assertThat(drawn[1]).isEqualTo(3000 - drawn[0]);
  }

  private static long[] unlimited(int sources) {
    long[] limits = new long[sources];
    Arrays.fill(limits, Long.MAX_VALUE);
    return limits;
  }
}
