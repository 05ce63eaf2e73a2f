package moxin.model.gguf;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import moxin.job.Progress;
import moxin.model.Checkpoint;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.model.RotaryOrder;
import moxin.model.SafetensorsWriter;
import moxin.model.TensorSpec;
import moxin.model.TensorView;
import moxin.model.WeightNames;
import moxin.model.WeightNames.LayerWeight;
import moxin.text.gguf.GgufValue;

/// Models from one file format to another, tensor by tensor, so that memory holds no more than the
/// largest of them and its source. The weights that a model does not have are left behind.
public final class ModelConversion {

  private static final long PIECE_BYTES = 1L << 26;
  private static final long SHARD_BYTES = 5L << 30;

  private final Checkpoint source;
  private final ModelConfig config;
  private final int threads;
  private final Progress progress;

  private ModelConversion(Checkpoint source, ModelConfig config, int threads, Progress progress) {
    this.source = source;
    this.config = config;
    this.threads = threads;
    this.progress = progress;
  }

  /// A conversion of the model of `config` in `source`.
  ///
  /// @param threads how many convert rows at the same time
  /// @throws moxin.model.CheckpointFormatException if a weight is missing or has another shape
  public static ModelConversion of(
      Checkpoint source, ModelConfig config, int threads, Progress progress) {
    WeightNames.requireComplete(source, config);
    return new ModelConversion(source, config, threads, progress);
  }

  /// Writes the model as a GGUF file that llama.cpp loads.
  ///
  /// @param name of the model, `general.name`
  /// @param vocabulary the pairs that describe its tokenizer
  /// @param importance of the inputs of its matrices, where known
  /// @throws moxin.model.CheckpointFormatException if a weight cannot be written
  public void toGguf(
      Path file,
      String name,
      Map<String, GgufValue> vocabulary,
      QuantisationMix mix,
      Optional<ImportanceMatrix> importance)
      throws IOException {
    Map<String, TensorConversion> conversions = new LinkedHashMap<>();
    List<TensorSpec> specs = new ArrayList<>();
    QuantisationMix.Importance known =
        importance.isPresent()
            ? QuantisationMix.Importance.KNOWN
            : QuantisationMix.Importance.UNKNOWN;
    for (String weight : WeightNames.shapes(config).keySet()) {
      TensorView view = source.tensor(weight);
      TensorConversion conversion =
          new TensorConversion(
              view,
              mix.typeOf(weight, config, known),
              headRows(weight, RotaryOrder.INTERLEAVED),
              importance.flatMap(
                  matrix -> matrix.of(weight, Math.toIntExact(view.shape().getLast()))));
      TensorSpec spec = conversion.spec(GgufTensorNames.toGguf(weight));
      conversions.put(spec.name(), conversion);
      specs.add(spec);
    }
    Map<String, GgufValue> pairs = new LinkedHashMap<>(GgufModelConfig.pairs(config, name, mix));
    pairs.putAll(vocabulary);
    pairs.putAll(GgufModelConfig.tokenPairs(config));
    try (RowWorkers workers = new RowWorkers(threads);
        Progress.Task task = start(specs);
        Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(bufferBytes(conversions.values()), 64);
      GgufWriter.write(
          file,
          pairs,
          specs,
          (spec, sink) -> {
            TensorConversion conversion =
                java.util.Objects.requireNonNull(conversions.get(spec.name()));
            task.status(spec.name());
            long step = Math.max(1, buffer.byteSize() / conversion.rowBytes());
            for (long from = 0; from < conversion.rows(); from += step) {
              long to = Math.min(conversion.rows(), from + step);
              sink.put(convert(conversion, from, to, buffer, workers, task));
            }
            unload(conversion.source());
          });
    }
  }

  /// Writes the model's `config.json` and safetensors into `directory`.
  ///
  /// @param type F32, BF16 or F16
  /// @throws moxin.model.CheckpointFormatException if a weight cannot be written
  public void toDirectory(Path directory, DType type) throws IOException {
    List<TensorSpec> specs = WeightNames.specs(config, type);
    Map<String, TensorConversion> conversions = new HashMap<>();
    for (TensorSpec spec : specs) {
      conversions.put(
          spec.name(),
          new TensorConversion(
              source.tensor(spec.name()),
              type,
              headRows(spec.name(), RotaryOrder.HALF_SPLIT),
              Optional.empty()));
    }
    long largest = specs.stream().mapToLong(TensorSpec::byteSize).max().orElseThrow();
    try (RowWorkers workers = new RowWorkers(threads);
        Progress.Task task = start(specs);
        Arena arena = Arena.ofShared()) {
      MemorySegment buffer = arena.allocate(largest, 64);
      SafetensorsWriter.writeSharded(
          directory,
          specs,
          Map.of("format", "pt"),
          SHARD_BYTES,
          spec -> {
            TensorConversion conversion =
                java.util.Objects.requireNonNull(conversions.get(spec.name()));
            task.status(spec.name());
            MemorySegment data = convert(conversion, 0, conversion.rows(), buffer, workers, task);
            unload(conversion.source());
            return new TensorView(spec.name(), type, spec.shape(), data);
          });
    }
    ModelConfigFile.write(directory, config, type);
  }

  private static MemorySegment convert(
      TensorConversion conversion,
      long from,
      long to,
      MemorySegment buffer,
      RowWorkers workers,
      Progress.Task task)
      throws IOException {
    long rowBytes = conversion.rowBytes();
    MemorySegment target = buffer.asSlice(0, (to - from) * rowBytes);
    workers.run(
        to - from,
        (first, last) -> {
          MemorySegment slice = target.asSlice(first * rowBytes, (last - first) * rowBytes);
          conversion.convert(from + first, from + last, slice);
          task.advance((last - first) * rowBytes);
        });
    return target;
  }

  /// Pages of the source that are done with need not stay in memory.
  private static void unload(TensorView view) {
    if (view.data().isMapped()) {
      view.data().unload();
    }
  }

  private Progress.Task start(List<TensorSpec> specs) {
    return progress.start("Convert", specs.stream().mapToLong(TensorSpec::byteSize).sum(), "bytes");
  }

  private static long bufferBytes(Iterable<TensorConversion> conversions) {
    long bytes = PIECE_BYTES;
    for (TensorConversion conversion : conversions) {
      bytes = Math.max(bytes, conversion.rowBytes());
    }
    return bytes;
  }

  private int[] headRows(String weight, RotaryOrder wanted) {
    if (source.rotaryOrder() == wanted) {
      return new int[0];
    }
    for (int layer = 0; layer < config.numHiddenLayers(); layer++) {
      if (weight.equals(LayerWeight.QUERY.name(layer))
          || weight.equals(LayerWeight.KEY.name(layer))) {
        return wanted.rowsFrom(source.rotaryOrder(), config.headDim());
      }
    }
    return new int[0];
  }
}
