package moxin.train.estimate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import moxin.job.RecipeFile;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.train.recipe.Activations;
import moxin.train.recipe.Phase;
import moxin.train.recipe.TrainingRecipe;
import org.junit.jupiter.api.Test;

final class RunEstimateTest {
  private static final double GIB = 1 << 30;
  private static final Machine H200 = new Machine(139 * GIB, 989e12, 0.5, 3.0);

  private static PhaseLength phase(int batchSize) {
    Phase phase =
        TrainingRecipe.of(
                RecipeFile.parse(
                    "r.yaml",
                    """
                    training:
                      learningRate: 1e-3
                      phases:
                        - {steps: 10, contextLength: 4096, batchSize: %d, accumulationSteps: 64,
                           sources: [{name: a}]}
                    """
                        .formatted(batchSize)))
            .phases()
            .getFirst();
    return new PhaseLength(phase, 10);
  }

  private static RunEstimate estimate(int batchSize, Placement placement, Machine machine) {
    return RunEstimate.of(ModelConfig.moxin7b(), List.of(phase(batchSize)), placement, machine);
  }

  private static Placement fused(Activations activations) {
    return Placement.onGpu(DType.BF16, activations).withAttention(AttentionMemory.FUSED);
  }

  @Test
  void timeAndCostFollowFromOperationsAndUtilisation() {
    RunEstimate estimate = estimate(8, fused(Activations.RECOMPUTE).withDevices(8, 3), H200);
    double flops = 10.0 * 8 * 64 * 4096 * (48_685_080_576.0 + 7_247_757_312.0);
    assertThat(estimate.tokens()).isEqualTo(20_971_520);
    assertThat(estimate.flops()).isCloseTo(flops, within(1.0));
    double seconds = flops / (8 * 989e12 * 0.5);
    assertThat(estimate.seconds()).isCloseTo(seconds, within(1e-9));
    assertThat(estimate.deviceHours()).isCloseTo(8 * seconds / 3600, within(1e-9));
    assertThat(estimate.cost()).isCloseTo(3 * 8 * seconds / 3600, within(1e-9));
    assertThat(estimate.refusal()).isEmpty();
  }

  @Test
  void whatDoesNotFitOnOneDeviceSaysOnHowManyItWould() {
    assertThat(estimate(1, fused(Activations.RECOMPUTE), H200).refusal())
        .hasValue(
            "phase pretrain needs 155.3 GiB on each of 1 device with 139.0 GiB, of which 95 % are"
                + " usable; it fits with training.optimizer.states: bf16");
  }

  @Test
  void recomputationComesBeforeSmallerBatchesAndBothBeforeMoreDevices() {
    Placement kept = fused(Activations.KEEP).withDevices(8, 1);
    assertThat(estimate(64, kept, H200).refusal())
        .get()
        .asString()
        .endsWith("it fits with training.memory.activations: selective");
    assertThat(estimate(384, kept, H200).refusal())
        .get()
        .asString()
        .endsWith(
            "it fits with training.memory.activations: recompute, batchSize divided by 2 and"
                + " accumulationSteps multiplied by it");
  }

  @Test
  void aRemedyFitsAsItIsSaid() {
    for (int batchSize : new int[] {1, 3, 8, 32, 100, 500}) {
      for (Activations activations : Activations.values()) {
        Placement placement = fused(activations);
        Remedy remedy =
            Remedy.find(ModelConfig.moxin7b(), List.of(phase(batchSize)), placement, H200)
                .orElseThrow();
        int rows = Math.ceilDiv(batchSize, remedy.rowsDivisor());
        assertThat(estimate(rows, remedy.placement(), H200).refusal()).as("%s", remedy).isEmpty();
      }
    }
  }

  @Test
  void withoutAPeakThereIsNoTimeAndWithoutAPriceNoCost() {
    Placement placement = fused(Activations.RECOMPUTE).withDevices(8, 3);
    RunEstimate untimed = estimate(8, placement, new Machine(139 * GIB, null, 0.5, 3.0));
    assertThat(untimed.seconds()).isNull();
    assertThat(untimed.deviceHours()).isNull();
    assertThat(untimed.cost()).isNull();
    assertThat(untimed.phases()).allSatisfy(phase -> assertThat(phase.seconds()).isNull());
    assertThat(untimed.flops()).isEqualTo(estimate(8, placement, H200).flops());
    RunEstimate unpriced = estimate(8, placement, new Machine(139 * GIB, 989e12, 0.5, null));
    assertThat(unpriced.seconds()).isEqualTo(estimate(8, placement, H200).seconds());
    assertThat(unpriced.cost()).isNull();
  }

  @Test
  void aDeviceThatIsTooSmallForAnythingSaysSo() {
    Machine tiny = new Machine(GIB, 1e12, 0.5, 0.0);
    assertThat(estimate(1, fused(Activations.KEEP), tiny).refusal())
        .get()
        .asString()
        .endsWith("nothing tried makes it fit");
  }
}
