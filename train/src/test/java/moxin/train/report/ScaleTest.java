package moxin.train.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Random;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;

final class ScaleTest {
  @Test
  void ticksAreRoundNumbers() {
    assertThat(labels(Scale.fromZero(5000), 4)).containsExactly("0", "2000", "4000");
    assertThat(labels(Scale.fromZero(1e-3), 4)).containsExactly("0", "0.5e-3", "1.0e-3");
    assertThat(labels(Scale.around(2.31, 2.38), 5)).containsExactly("2.32", "2.34", "2.36", "2.38");
    assertThat(labels(Scale.logarithmic(1.5, 9), 6))
        .containsExactly("1.5", "2", "3", "4", "5", "6", "8", "10");
    assertThat(labels(Scale.logarithmic(0.02, 700), 4)).containsExactly("1", "100");
    assertThat(labels(Scale.logarithmic(9e4, 3e5), 4))
        .containsExactly("8e4", "1e5", "1.5e5", "2e5", "3e5");
    assertThat(labels(Scale.fromZero(3e7), 4)).containsExactly("0", "10M", "20M", "30M");
  }

  @Test
  @Seeded
  void ticksLieWithinAndTheirLabelsDiffer(Random random) {
    for (int round = 0; round < 5000; round++) {
      double low = Math.exp(random.nextGaussian() * 8);
      double high = low * (1 + Math.exp(random.nextGaussian() * 3));
      Scale scale =
          switch (random.nextInt(3)) {
            case 0 -> Scale.fromZero(high);
            case 1 -> Scale.around(low, high);
            default -> Scale.logarithmic(low, high);
          };
      int most = 3 + random.nextInt(7);
      List<Double> ticks = scale.ticks(most);
      assertThat(ticks).hasSizeLessThanOrEqualTo(most + 3);
      assertThat(ticks).allMatch(tick -> tick >= scale.low() && tick <= scale.high());
      assertThat(new HashSet<>(labels(scale, most))).as("%s", scale).hasSameSizeAs(ticks);
      assertThat(scale.position(scale.low())).isZero();
      assertThat(scale.position(scale.high())).isEqualTo(1);
    }
  }

  private static List<String> labels(Scale scale, int most) {
    return scale.ticks(most).stream().map(tick -> scale.label(tick, most)).toList();
  }
}
