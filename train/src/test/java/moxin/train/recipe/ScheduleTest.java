package moxin.train.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import moxin.job.RecipeFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Every schedule against its formula, written down again from the papers, at every step of odd
/// lengths.
final class ScheduleTest {
  private static final double TOLERANCE = 1e-12;

  static List<Arguments> lengths() {
    List<Arguments> cases = new ArrayList<>();
    for (long steps : new long[] {1, 7, 8, 13, 32, 33, 257}) {
      for (long warmup : new long[] {0, 1, steps / 3, steps}) {
        for (double last : new double[] {0, 0.1, 1}) {
          cases.add(Arguments.of(steps, Math.min(warmup, steps), last));
        }
      }
    }
    return cases;
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void constantStaysAtThePeak(long steps, long warmup, double last) {
    assertIs(Schedule.of(ScheduleKind.CONSTANT, warmup, last), steps, p -> 1);
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void linearIsALineToTheFinalFraction(long steps, long warmup, double last) {
    assertIs(Schedule.of(ScheduleKind.LINEAR, warmup, last), steps, p -> last * p + (1 - p));
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void cosineIsHalfAPeriod(long steps, long warmup, double last) {
    assertIs(
        Schedule.of(ScheduleKind.COSINE, warmup, last),
        steps,
        p -> last + (1 - last) * Math.pow(Math.cos(Math.PI * p / 2), 2));
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void warmupStableDecayStaysAndThenFalls(long steps, long warmup, double last) {
    for (double fraction : new double[] {0, 0.2, 1}) {
      for (DecayShape shape : DecayShape.values()) {
        Schedule schedule =
            new Schedule(ScheduleKind.WARMUP_STABLE_DECAY, warmup, last, fraction, shape);
        long decay = Math.min(Math.round(fraction * steps), steps - warmup);
        for (long step = 0; step < steps; step++) {
          double expected = 1;
          if (step < warmup) {
            expected = (step + 1.0) / warmup;
          } else if (step >= steps - decay) {
            double q = (step - (steps - decay) + 1.0) / decay;
            double left =
                switch (shape) {
                  case LINEAR -> 1 - q;
                  case COSINE -> Math.pow(Math.cos(Math.PI * q / 2), 2);
                  case ONE_MINUS_SQRT -> 1 - Math.sqrt(q);
                };
            expected = last + (1 - last) * left;
          }
          assertThat(schedule.factor(step, steps))
              .as("%s, step %d of %d", schedule, step, steps)
              .isCloseTo(expected, within(TOLERANCE));
        }
      }
    }
  }

  @Test
  void theLastStepReachesTheFinalFraction() {
    for (ScheduleKind kind : ScheduleKind.values()) {
      double expected = kind == ScheduleKind.CONSTANT ? 1 : 0.25;
      assertThat(Schedule.of(kind, 3, 0.25).factor(32, 33))
          .as(kind.toString())
          .isCloseTo(expected, within(TOLERANCE));
    }
  }

  @Test
  void wsdIsReadUnderBothItsNamesAndResolved() {
    for (String name : List.of("wsd", "warmup-stable-decay")) {
      Schedule read =
          RecipeFile.parse("r.yaml", "training: {kind: " + name + ", warmupSteps: 5}")
              .requiredSection("training", Schedule.class);
      assertThat(read)
          .isEqualTo(
              new Schedule(ScheduleKind.WARMUP_STABLE_DECAY, 5L, 0.1, 0.1, DecayShape.LINEAR));
    }
  }

  private static void assertIs(Schedule schedule, long steps, DoubleUnaryOperator afterWarmup) {
    long warmup = schedule.warmupSteps();
    for (long step = 0; step < steps; step++) {
      double expected =
          step < warmup
              ? (step + 1.0) / warmup
              : afterWarmup.applyAsDouble((step - warmup + 1.0) / (steps - warmup));
      assertThat(schedule.factor(step, steps))
          .as("%s, step %d of %d", schedule, step, steps)
          .isCloseTo(expected, within(TOLERANCE));
    }
  }
}
