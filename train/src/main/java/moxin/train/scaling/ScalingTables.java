package moxin.train.scaling;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.train.ZeroStage;

/// The tables of `docs/SCALING.md`, in Markdown.
public final class ScalingTables {
  private static final int[] PROCESSES = {8, 64, 512};
  private static final int LENGTH = 4096;
  private static final long STEP_ROWS = 1024;
  private static final double PEAK = 989e12;
  private static final double MFU = 0.55;

  private ScalingTables() {}

  /// Gigabytes that a process sends in a step, and keeps, in bf16.
  ///
  /// @param rowsPerSlice of 4096 positions
  public static String volumes(ModelConfig config, int rowsPerSlice) {
    List<String> lines = new ArrayList<>();
    lines.add(
        "| processes | stage | gradients | embedding rows | weights fetched | at the update | sent"
            + " per step, GB | state kept, GB |");
    lines.add("|---|---|---|---|---|---|---|---|");
    for (int processes : PROCESSES) {
      long slices = STEP_ROWS / processes / rowsPerSlice;
      for (ZeroStage stage : ZeroStage.values()) {
        Volume volume = new Volume(config, stage, processes, DType.BF16);
        long positions = (long) rowsPerSlice * LENGTH;
        lines.add(
            String.format(
                Locale.ROOT,
                "| %d | %d | %s | %s | %s | %s | %s | %s |",
                processes,
                stage.number(),
                gigabytes(slices * volume.gradientBytesPerSlice()),
                gigabytes(slices * volume.embeddingBytesPerSlice(positions)),
                gigabytes(volume.fetchedBytes(slices)),
                gigabytes(volume.updateBytes()),
                gigabytes(volume.stepBytes(slices, positions)),
                gigabytes(volume.stateBytes())));
      }
    }
    return String.join("\n", lines) + "\n";
  }

  /// What the model says of a step of 4.2 million tokens.
  public static String times(ModelConfig config, Fabric fabric) {
    List<String> lines = new ArrayList<>();
    lines.add(
        "| processes | rows per slice | stage 1 | stage 2 | stage 3 | stage 2, tokens/s | step, s"
            + " |");
    lines.add("|---|---|---|---|---|---|---|");
    for (int processes : PROCESSES) {
      for (int rows : new int[] {1, 2}) {
        StepTime second = time(config, fabric, ZeroStage.GRADIENTS, processes, rows);
        lines.add(
            String.format(
                Locale.ROOT,
                "| %d | %d | %s | %s | %s | %,.0f | %.2f |",
                processes,
                rows,
                percent(time(config, fabric, ZeroStage.OPTIMIZER, processes, rows)),
                percent(second),
                percent(time(config, fabric, ZeroStage.WEIGHTS, processes, rows)),
                second.tokensPerSecond(),
                second.seconds()));
      }
    }
    return String.join("\n", lines) + "\n";
  }

  private static StepTime time(
      ModelConfig config, Fabric fabric, ZeroStage stage, int processes, int rows) {
    Volume volume = new Volume(config, stage, processes, DType.BF16);
    long microBatches = STEP_ROWS / processes / rows;
    return new StepTime(volume, fabric, MFU * PEAK, (long) rows * LENGTH, LENGTH, microBatches);
  }

  private static String percent(StepTime time) {
    return String.format(Locale.ROOT, "%.0f %%", 100 * time.efficiency());
  }

  private static String gigabytes(double bytes) {
    return String.format(Locale.ROOT, "%.1f", bytes / 1e9);
  }
}
