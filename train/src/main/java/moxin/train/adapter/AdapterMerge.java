package moxin.train.adapter;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import moxin.job.Progress;
import moxin.model.Checkpoint;
import moxin.model.CheckpointFormatException;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.model.Precision;
import moxin.model.SafetensorsWriter;
import moxin.model.TensorSpec;
import moxin.model.TensorView;
import moxin.model.WeightNames;
import moxin.train.adapter.AdapterSettings.Factor;

/// Adds an adapter to the weights of a model, or takes it away again: W ± s·B·A in fp32, one tensor
/// after the other.
///
/// What merging adds, unmerging takes away to the bit, so that a model in fp32 comes back within
/// one rounding of each of the two sums. A narrower type loses what is smaller than its own
/// rounding.
public final class AdapterMerge {
  private static final long SHARD_BYTES = 5_000_000_000L;
  private static final int TASK_ROWS = 64;

  private final ModelConfig config;
  private final Checkpoint model;
  private final Checkpoint adapter;
  private final AdapterSettings settings;
  private final Map<String, Pair> pairs = new HashMap<>();

  /// Whether the adapter is added.
  public enum Direction {
    /// W + s·B·A.
    MERGE,
    /// W − s·B·A.
    UNMERGE
  }

  /// The names of the factors of one weight.
  private record Pair(String a, String b) {}

  /// @param model has every weight of `config`
  /// @param adapter has every factor of `settings`, as [AdapterFile#open] checks
  /// @throws CheckpointFormatException if the model lacks a weight
  public AdapterMerge(
      ModelConfig config, Checkpoint model, Checkpoint adapter, AdapterSettings settings) {
    WeightNames.requireComplete(model, config);
    this.config = config;
    this.model = model;
    this.adapter = adapter;
    this.settings = settings;
    for (int layer = 0; layer < config.numHiddenLayers(); layer++) {
      for (AdapterTarget target : settings.targets()) {
        String a = AdapterSettings.name(target, layer, Factor.A);
        String b = AdapterSettings.name(target, layer, Factor.B);
        pairs.put(target.weight().name(layer), new Pair(a, b));
      }
    }
  }

  /// Writes `config.json` and safetensors into `directory`.
  ///
  /// @param type of the weights, F32, BF16 or F16
  /// @throws CheckpointFormatException if a factor has numbers that are not finite
  public void toDirectory(Path directory, DType type, Direction direction, Progress progress)
      throws IOException {
    List<TensorSpec> specs = WeightNames.specs(config, type);
    long largest = specs.stream().mapToLong(TensorSpec::byteSize).max().orElseThrow();
    long all = specs.stream().mapToLong(TensorSpec::byteSize).sum();
    String title = direction == Direction.MERGE ? "Merge" : "Unmerge";
    try (Progress.Task task = progress.start(title, all, "bytes");
        Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(largest, 64);
      SafetensorsWriter.writeSharded(
          directory,
          specs,
          Map.of("format", "pt"),
          SHARD_BYTES,
          spec -> {
            task.status(spec.name());
            MemorySegment data = buffer.asSlice(0, spec.byteSize());
            convert(spec, direction, data);
            task.advance(spec.byteSize());
            return new TensorView(spec.name(), type, spec.shape(), data);
          });
    }
    ModelConfigFile.write(directory, config, type);
  }

  /// The merged weights in `type`, in memory of `arena`.
  ///
  /// @throws CheckpointFormatException as [#toDirectory]
  public List<TensorView> toMemory(DType type, Arena arena) {
    List<TensorView> merged = new ArrayList<>();
    for (TensorSpec spec : WeightNames.specs(config, type)) {
      MemorySegment data = arena.allocate(spec.byteSize(), 64);
      convert(spec, Direction.MERGE, data);
      merged.add(new TensorView(spec.name(), type, spec.shape(), data));
    }
    return merged;
  }

  private void convert(TensorSpec spec, Direction direction, MemorySegment target) {
    TensorView source = model.tensor(spec.name());
    int columns = Math.toIntExact(spec.shape().getLast());
    int rows = Math.toIntExact(source.elements() / columns);
    Pair pair = pairs.get(spec.name());
    float[] a = pair == null ? new float[0] : factor(pair.a());
    float[] b = pair == null ? new float[0] : factor(pair.b());
    long rowBytes = spec.dtype().byteSize(columns);
    IntStream.range(0, Math.ceilDiv(rows, TASK_ROWS))
        .parallel()
        .forEach(
            task -> {
              float[] row = new float[columns];
              float[] change = new float[columns];
              int end = Math.min(rows, (task + 1) * TASK_ROWS);
              for (int i = task * TASK_ROWS; i < end; i++) {
                Precision.widen(source, (long) i * columns, row, 0, columns);
                if (pair != null) {
                  change(a, b, i, change);
                  add(row, change, direction);
                }
                Precision.narrow(row, spec.dtype(), target.asSlice(i * rowBytes, rowBytes));
              }
            });
    if (source.data().isMapped()) {
      source.data().unload();
    }
  }

  /// Row `i` of s·B·A.
  private void change(float[] a, float[] b, int i, float[] change) {
    int rank = settings.rank();
    java.util.Arrays.fill(change, 0);
    for (int k = 0; k < rank; k++) {
      float factor = b[i * rank + k];
      int at = k * change.length;
      for (int j = 0; j < change.length; j++) {
        change[j] += factor * a[at + j];
      }
    }
    float scale = (float) settings.scale();
    for (int j = 0; j < change.length; j++) {
      change[j] *= scale;
    }
  }

  private static void add(float[] row, float[] change, Direction direction) {
    for (int j = 0; j < row.length; j++) {
      row[j] = direction == Direction.MERGE ? row[j] + change[j] : row[j] - change[j];
    }
  }

  private float[] factor(String name) {
    float[] values = Precision.widen(adapter.tensor(name));
    for (float value : values) {
      if (!Float.isFinite(value)) {
        throw new CheckpointFormatException(
            adapter.origin() + ": " + name + " has a number that is not finite: " + value);
      }
    }
    return values;
  }
}
