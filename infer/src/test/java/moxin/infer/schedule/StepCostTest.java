package moxin.infer.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;

@Seeded
final class StepCostTest {

  @Test
  void nothingIsKnownBeforeTheFirstStep() {
    assertThat(new StepCost().known()).isFalse();
    assertThat(new StepCost().nanos(5)).isZero();
  }

  @Test
  void betweenMeasuredStepsLiesALine() {
    StepCost cost = new StepCost();
    cost.record(1, 1000);
    cost.record(9, 5000);
    assertThat(cost.nanos(1)).isEqualTo(1000);
    assertThat(cost.nanos(5)).isEqualTo(3000);
    assertThat(cost.nanos(9)).isEqualTo(5000);
    assertThat(cost.nanos(17)).isEqualTo(9000);
  }

  @Test
  void largerStepsNeverCostLess(Random random) {
    for (int run = 0; run < 50; run++) {
      StepCost cost = new StepCost();
      for (int i = 0; i < 40; i++) {
        cost.record(1 + random.nextInt(400), 1 + random.nextInt(100_000));
      }
      for (int n = 1; n < 500; n++) {
        assertThat(cost.nanos(n + 1)).isGreaterThanOrEqualTo(cost.nanos(n));
      }
    }
  }

  @Test
  void aPauseOfTheMachineIsNoCost(Random random) {
    StepCost cost = new StepCost();
    for (int i = 0; i < 200; i++) {
      cost.record(4, i % 50 == 49 ? 10_000_000 : 990 + random.nextInt(20));
    }
    assertThat(cost.nanos(4)).isCloseTo(1000, within(120.0));
  }

  @Test
  void theMeanFollowsALastingChange() {
    StepCost cost = new StepCost();
    for (int i = 0; i < 100; i++) {
      cost.record(1, 1000);
    }
    for (int i = 0; i < 100; i++) {
      cost.record(1, 9000);
    }
    assertThat(cost.nanos(1)).isCloseTo(9000, within(500.0));
  }

  @Test
  void quantilesOfTimesAreWithinAFifth(Random random) {
    LatencyHistogram histogram = new LatencyHistogram();
    assertThat(histogram.latency().median().toNanos()).isZero();
    for (int i = 0; i < 10_000; i++) {
      histogram.add(1_000_000 + random.nextInt(1_000_000));
    }
    SchedulerMetrics.Latency latency = histogram.latency();
    assertThat(latency.count()).isEqualTo(10_000);
    assertThat((double) latency.mean().toNanos()).isCloseTo(1_500_000, within(10_000.0));
    assertThat((double) latency.median().toNanos()).isCloseTo(1_500_000, within(300_000.0));
    assertThat((double) latency.percentile99().toNanos()).isCloseTo(1_990_000, within(400_000.0));
  }
}
