package moxin.train.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import java.util.Random;
import moxin.testing.Seeded;
import moxin.train.recipe.DivergenceWarning;
import moxin.train.recipe.OnSpike;
import moxin.train.recipe.SpikeMeasure;
import org.junit.jupiter.api.Test;

final class SpikeDetectorTest {
  private static final OnSpike STANDARD = new OnSpike(null, 33, null, 6.0, null);

  @Test
  @Seeded
  void noiseAroundAFallingLossIsNoSpikeAndAJumpIs(Random random) {
    SpikeDetector detector = new SpikeDetector(STANDARD);
    double mean = 0;
    for (int step = 0; step < 2000; step++) {
      mean = 2 + 8 * Math.exp(-step / 300.0);
      double loss = mean + 0.05 * random.nextGaussian();
      double norm = 1 + 0.1 * random.nextGaussian();
      assertThat(detector.spike(loss, norm)).as("step %d", step).isEmpty();
      detector.add(loss, norm);
    }
    assertThat(detector.spike(mean + 1, 1)).get().asString().startsWith("loss 3.0");
    assertThat(detector.spike(mean, 2.5)).get().asString().startsWith("gradient norm 2.5");
    assertThat(detector.spike(mean - 1, 0.01)).isEmpty();
  }

  @Test
  void nothingIsASpikeBeforeTheWindowIsFull() {
    SpikeDetector detector = new SpikeDetector(new OnSpike(null, 7, null, 6.0, null));
    for (int i = 0; i < 6; i++) {
      detector.add(1, 1);
      assertThat(detector.spike(1000, 1000)).isEmpty();
    }
    detector.add(1, 1);
    assertThat(detector.spike(1000, 1)).isPresent();
    assertThat(detector.spike(1.005, 1)).as("less than 6 thousandths").isEmpty();
    detector.clear();
    assertThat(detector.spike(1000, 1)).isEmpty();
  }

  @Test
  void aRatioIsOfTheMean() {
    SpikeDetector detector =
        new SpikeDetector(new OnSpike(null, 8, SpikeMeasure.RATIO, null, null));
    for (int i = 0; i < 13; i++) {
      detector.add(2, i % 2 + 1);
    }
    assertThat(detector.spike(5.9, 4.4)).isEmpty();
    assertThat(detector.spike(6.1, 1))
        .contains("loss 6.100 is 3.1 times the mean 2.000 of 8 steps");
    assertThat(detector.spike(2, 4.6)).isPresent();
  }

  @Test
  void aRestoredWindowJudgesAsTheOneItCameFrom() {
    Random random = new Random(8);
    SpikeDetector detector = new SpikeDetector(STANDARD);
    for (int i = 0; i < 257; i++) {
      detector.add(random.nextDouble(), random.nextDouble());
    }
    SpikeDetector other = new SpikeDetector(STANDARD);
    other.restore(detector.window());
    assertThat(detector.window().losses()).hasSize(33);
    for (double loss = 0; loss < 4; loss += 0.01) {
      assertThat(other.spike(loss, 0.5)).isEqualTo(detector.spike(loss, 0.5));
    }
  }

  @Test
  void aRisingLossIsWarnedOfOnceUntilThereIsANewBest() {
    DivergenceWatch watch = new DivergenceWatch(new DivergenceWarning(4, 2, 0.03));
    assertThat(warnings(watch, 3, 2.9, 2.8, 2.81, 2.87)).isEmpty();
    List<String> found = warnings(watch, 2.9, 2.95, 3.1);
    assertThat(found)
        .containsExactly(
            "the training loss, mean of 4 steps, is 2.9500, above its best of 2.8000 for 2"
                + " windows");
    assertThat(warnings(watch, 2.7, 2.75, 2.9, 2.9)).hasSize(1);
    assertThat(watch.addHeldOut(1)).isEmpty();
    assertThat(watch.addHeldOut(1.1)).isEmpty();
    assertThat(watch.addHeldOut(1.1)).isPresent();
  }

  /// Adds windows of one loss each.
  private static List<String> warnings(DivergenceWatch watch, double... means) {
    return java.util.Arrays.stream(means)
        .boxed()
        .flatMap(mean -> java.util.stream.Stream.of(mean - 0.1, mean, mean, mean + 0.1))
        .map(watch::add)
        .flatMap(Optional::stream)
        .toList();
  }
}
