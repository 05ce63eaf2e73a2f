package moxin.train.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import moxin.testing.Seeded;
import moxin.train.run.StepMetrics;
import org.junit.jupiter.api.Test;

final class CurveTest {
  @Test
  @Seeded
  void thinningKeepsMeansAndExtremesWithinEachPhase(Random random) {
    for (int length : new int[] {1, 7, 13, 257, 5000}) {
      List<StepMetrics> steps = new ArrayList<>();
      for (int i = 1; i <= length; i++) {
        String phase = i * 3 < length ? "a" : "b";
        Double loss = random.nextInt(9) == 0 && i > 1 ? null : random.nextGaussian();
        steps.add(new StepMetrics(i, phase, loss, 0, null, 0, 0, null, 0, 0, null, null));
      }
      List<PhaseSpan> phases = PhaseSpan.of(steps);
      Curve curve = Curve.of(phases, StepMetrics::loss, 100);
      assertThat(curve.points()).hasSizeLessThan(104 + phases.size());
      for (Curve.Point point : curve.points()) {
        List<StepMetrics> part = steps.subList((int) point.first() - 1, (int) point.last());
        assertThat(part).allMatch(step -> step.phase().equals(phases.get(point.phase()).name()));
        var expected =
            part.stream()
                .flatMap(step -> java.util.Optional.ofNullable(step.loss()).stream())
                .mapToDouble(Double::doubleValue)
                .summaryStatistics();
        assertThat(point.mean()).isCloseTo(expected.getAverage(), within(1e-12));
        assertThat(point.low()).isEqualTo(expected.getMin());
        assertThat(point.high()).isEqualTo(expected.getMax());
      }
    }
  }
}
