package moxin.model;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import moxin.model.gguf.GgufModelConfig;
import moxin.model.gguf.GgufTensorNames;
import moxin.model.gguf.GgufTypes;
import moxin.text.gguf.GgufHeader;
import moxin.text.gguf.GgufMetadata;
import moxin.text.gguf.GgufTensorInfo;

/// A GGUF file, mapped into memory. Tensors have the names of [WeightNames]; those that are no
/// weights of the llama architecture keep their own.
///
/// Views are read-only and aligned as the file aligns them, to 32 bytes as a rule. The checkpoint
/// owns the mapping; views die with it. It may be read by many threads and is closed by one.
public final class GgufCheckpoint implements Checkpoint {

  private final String origin;
  private final Arena arena;
  private final GgufMetadata metadata;
  private final Map<String, TensorView> tensors;
  private final List<String> foreign = new ArrayList<>();

  private GgufCheckpoint(String origin, Arena arena, MemorySegment file) {
    this.origin = origin;
    this.arena = arena;
    GgufHeader header = GgufHeader.parse(origin, file);
    this.metadata = header.metadata();
    this.tensors = tensors(header, file);
  }

  /// Opens a GGUF file.
  ///
  /// @throws moxin.text.gguf.GgufFormatException if its header is not what it should be
  /// @throws CheckpointFormatException if there is none, or its tensors are not what the header
  ///   says or of types that Moxin does not read
  /// @throws IOException if it cannot be read
  @SuppressWarnings("MustBeClosedChecker")
  public static GgufCheckpoint open(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new CheckpointFormatException(file + ": no such file");
    }
    Arena arena = Arena.ofShared();
    boolean opened = false;
    try (FileChannel channel = FileChannel.open(file)) {
      MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      GgufCheckpoint checkpoint = new GgufCheckpoint(file.toString(), arena, mapped);
      opened = true;
      return checkpoint;
    } finally {
      if (!opened) {
        arena.close();
      }
    }
  }

  private Map<String, TensorView> tensors(GgufHeader header, MemorySegment file) {
    Map<String, TensorView> views = new LinkedHashMap<>();
    List<TensorSpan> spans = new ArrayList<>();
    long available = Math.max(0, file.byteSize() - header.dataOffset());
    for (GgufTensorInfo info : header.tensors()) {
      TensorSpec spec = spec(info);
      long bytes = byteSize(info, spec);
      if (info.offset() > available || bytes > available - info.offset()) {
        throw wrong(
            info,
            bytes + " bytes from " + info.offset() + " of the data on",
            "them within its " + available);
      }
      spans.add(new TensorSpan(info, bytes));
      MemorySegment data =
          bytes == 0
              ? MemorySegment.NULL.asSlice(0, 0)
              : file.asSlice(header.dataOffset() + info.offset(), bytes);
      if (views.put(spec.name(), new TensorView(spec.name(), spec.dtype(), spec.shape(), data))
          != null) {
        throw wrong(info, "a second tensor " + spec.name(), "each once");
      }
    }
    requireDisjoint(spans);
    return views;
  }

  private TensorSpec spec(GgufTensorInfo info) {
    DType dtype =
        GgufTypes.ofNumber(info.type())
            .orElseThrow(
                () ->
                    wrong(
                        info,
                        "ggml's type " + Integer.toUnsignedString(info.type()),
                        "one of " + GgufTypes.known()));
    String name =
        GgufTensorNames.toHuggingFace(info.name())
            .orElseGet(
                () -> {
                  foreign.add(info.name());
                  return info.name();
                });
    try {
      return new TensorSpec(name, dtype, info.dimensions().reversed());
    } catch (IllegalArgumentException e) {
      throw new CheckpointFormatException(origin + ": " + e.getMessage(), e);
    }
  }

  private long byteSize(GgufTensorInfo info, TensorSpec spec) {
    try {
      return spec.byteSize();
    } catch (ArithmeticException e) {
      throw new CheckpointFormatException(
          origin + ": tensor " + info.name() + ": " + spec.shape() + " is too large", e);
    }
  }

  private record TensorSpan(GgufTensorInfo info, long bytes) {}

  private void requireDisjoint(List<TensorSpan> spans) {
    spans.removeIf(span -> span.bytes == 0);
    spans.sort(Comparator.comparingLong(span -> span.info.offset()));
    long end = 0;
    for (TensorSpan span : spans) {
      if (span.info.offset() < end) {
        throw wrong(
            span.info, "data from " + span.info.offset() + " on", "it after that before, " + end);
      }
      end = span.info.offset() + span.bytes;
    }
  }

  private CheckpointFormatException wrong(GgufTensorInfo info, String found, String expected) {
    return new CheckpointFormatException(
        origin
            + ": tensor "
            + CheckpointJson.oneLine(info.name())
            + ": found "
            + found
            + ", expected "
            + expected);
  }

  /// The configuration of the model in this file.
  ///
  /// @throws moxin.text.gguf.GgufFormatException if the metadata lacks something
  /// @throws CheckpointFormatException if it is a model that Moxin does not run
  public ModelConfig config() {
    ModelConfig config = GgufModelConfig.read(metadata, tensors.containsKey(WeightNames.LM_HEAD));
    for (String name : foreign) {
      // Old files carry the frequencies of plain rotary embeddings, which follow from the base.
      if (!name.endsWith(".attn_rot_embd")) {
        throw new CheckpointFormatException(
            origin
                + ": tensor "
                + CheckpointJson.oneLine(name)
                + " belongs to a model that Moxin does not compute");
      }
    }
    return config;
  }

  /// All key-value pairs of the file.
  public GgufMetadata metadata() {
    return metadata;
  }

  @Override
  public String origin() {
    return origin;
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(tensors.keySet());
  }

  @Override
  public TensorView tensor(String name) {
    TensorView tensor = tensors.get(name);
    if (tensor == null) {
      throw new CheckpointFormatException(origin + ": no tensor " + name);
    }
    return tensor;
  }

  @Override
  public RotaryOrder rotaryOrder() {
    return RotaryOrder.INTERLEAVED;
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
