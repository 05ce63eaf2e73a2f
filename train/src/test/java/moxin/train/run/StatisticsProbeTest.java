package moxin.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.Objects;
import moxin.model.DType;
import moxin.model.TensorView;
import moxin.train.AdamW;
import moxin.train.Batch;
import org.junit.jupiter.api.Test;

final class StatisticsProbeTest {
  private static final AdamW ADAM_W = new AdamW(0.9, 0.95, 1e-8, 0.1, false, false, 1);

  @Test
  void normsAndUpdateAreThoseOfTheStep() {
    BigramLearner learner = new BigramLearner(TestRuns.config(TestRuns.VOCAB), DType.F32, 3);
    learner.accumulate(
        new Batch(1, 3, new int[] {1, 3, 7}, new int[] {3, 7, 1}, new int[3]), 1.0 / 3);
    double norm = learner.gradientNorm();
    double[] before = values(learner.weights().getFirst());
    try (StatisticsProbe probe = new StatisticsProbe()) {
      probe.lookBefore(learner);
      learner.step(ADAM_W, 0.1);
      StepStatistics found = probe.lookAfter(learner, 7);
      double[] after = values(learner.weights().getFirst());
      double weight = 0;
      double update = 0;
      for (int i = 0; i < before.length; i++) {
        weight += before[i] * before[i];
        update += (after[i] - before[i]) * (after[i] - before[i]);
      }
      ParameterStatistics bigram = Objects.requireNonNull(found.parameters().get("bigram.weight"));
      assertThat(found.parameters()).hasSize(1);
      assertThat(bigram.gradNorm()).isCloseTo(norm, within(1e-6 * norm));
      assertThat(bigram.weightNorm()).isCloseTo(Math.sqrt(weight), within(1e-9));
      assertThat(bigram.updateRatio()).isCloseTo(Math.sqrt(update / weight), within(1e-9));
      assertThat(found.scalars())
          .isEqualTo(
              Map.of(
                  "gradNorm/bigram.weight", bigram.gradNorm(),
                  "weightNorm/bigram.weight", bigram.weightNorm(),
                  "updateRatio/bigram.weight", bigram.updateRatio()));
    }
  }

  private static double[] values(TensorView tensor) {
    double[] values = new double[(int) tensor.elements()];
    for (int i = 0; i < values.length; i++) {
      values[i] = tensor.data().getAtIndex(ValueLayout.JAVA_FLOAT, i);
    }
    return values;
  }
}
