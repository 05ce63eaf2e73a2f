package moxin.model;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// A safetensors file, or a directory of them as Hugging Face lays them out, mapped into memory.
///
/// Views are read-only and may be unaligned. The checkpoint owns the mapping; views die with it. It
/// may be read by many threads and is closed by one.
///
/// See the format's specification at <https://huggingface.co/docs/safetensors>.
public final class SafetensorsCheckpoint implements Checkpoint {

  /// The one file of an unsharded model directory.
  public static final String FILE_NAME = "model.safetensors";

  /// What the names of indexes end with.
  public static final String INDEX_SUFFIX = ".safetensors.index.json";

  /// Names the shards of a sharded model directory.
  public static final String INDEX_NAME = "model" + INDEX_SUFFIX;

  private static final ValueLayout.OfLong LENGTH =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path path;
  private final Arena arena;
  private final Map<String, TensorView> tensors = new LinkedHashMap<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();

  private SafetensorsCheckpoint(Path path, Arena arena) {
    this.path = path;
    this.arena = arena;
  }

  /// Opens a file, the shards of an index, or the `model.safetensors` or sharded model of a
  /// directory.
  ///
  /// @throws CheckpointFormatException if there is none, or it is damaged
  /// @throws IOException if it cannot be read
  @SuppressWarnings("MustBeClosedChecker")
  public static SafetensorsCheckpoint open(Path path) throws IOException {
    SafetensorsCheckpoint checkpoint = new SafetensorsCheckpoint(path, Arena.ofShared());
    try {
      checkpoint.load();
      return checkpoint;
    } catch (IOException | RuntimeException e) {
      checkpoint.close();
      throw e;
    }
  }

  private void load() throws IOException {
    if (path.toString().endsWith(INDEX_SUFFIX)) {
      addShards(path);
      return;
    }
    if (!Files.isDirectory(path)) {
      add(path);
      return;
    }
    Path single = path.resolve(FILE_NAME);
    Path index = path.resolve(INDEX_NAME);
    if (Files.exists(single)) {
      add(single);
    } else if (Files.exists(index)) {
      addShards(index);
    } else {
      throw new CheckpointFormatException(
          path + ": neither " + FILE_NAME + " nor " + INDEX_NAME + " is here");
    }
  }

  private void addShards(Path index) throws IOException {
    Map<String, String> fileOfTensor = SafetensorsIndex.read(index).weightMap();
    Map<String, String> found = new HashMap<>();
    for (String file : new TreeSet<>(fileOfTensor.values())) {
      for (SafetensorsHeader.Entry entry : add(index.resolveSibling(file))) {
        found.put(entry.spec().name(), file);
      }
    }
    for (Map.Entry<String, String> entry : fileOfTensor.entrySet()) {
      if (!entry.getValue().equals(found.get(entry.getKey()))) {
        throw new CheckpointFormatException(
            index
                + ": tensor "
                + CheckpointJson.oneLine(entry.getKey())
                + " is not in "
                + entry.getValue());
      }
    }
    tensors.keySet().retainAll(fileOfTensor.keySet());
  }

  private List<SafetensorsHeader.Entry> add(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new CheckpointFormatException(file + ": no such file");
    }
    MemorySegment mapped;
    try (FileChannel channel = FileChannel.open(file)) {
      mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
    }
    if (mapped.byteSize() < LENGTH.byteSize()) {
      throw new CheckpointFormatException(
          file + ": " + mapped.byteSize() + " bytes are no safetensors file");
    }
    long headerBytes = mapped.get(LENGTH, 0);
    long available = mapped.byteSize() - LENGTH.byteSize();
    if (headerBytes < 0 || headerBytes > SafetensorsHeader.MAX_BYTES || headerBytes > available) {
      throw new CheckpointFormatException(
          file
              + ": byte 0: header of "
              + Long.toUnsignedString(headerBytes)
              + " bytes, at most "
              + Math.min(available, SafetensorsHeader.MAX_BYTES)
              + " are possible");
    }
    byte[] header = mapped.asSlice(LENGTH.byteSize(), headerBytes).toArray(ValueLayout.JAVA_BYTE);
    return addTensors(file, header, mapped.asSlice(LENGTH.byteSize() + headerBytes));
  }

  private List<SafetensorsHeader.Entry> addTensors(Path file, byte[] header, MemorySegment data) {
    SafetensorsHeader parsed = SafetensorsHeader.parse(file.toString(), header, data.byteSize());
    metadata.putAll(parsed.metadata());
    for (SafetensorsHeader.Entry entry : parsed.tensors()) {
      TensorSpec spec = entry.spec();
      MemorySegment slice = data.asSlice(entry.begin(), entry.end() - entry.begin());
      TensorView view = new TensorView(spec.name(), spec.dtype(), spec.shape(), slice);
      if (tensors.put(spec.name(), view) != null) {
        throw new CheckpointFormatException(
            file + ": tensor " + spec.name() + " is in another shard too");
      }
    }
    return parsed.tensors();
  }

  @Override
  public String origin() {
    return path.toString();
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(tensors.keySet());
  }

  /// The strings under `__metadata__` of all files.
  public Map<String, String> metadata() {
    return Collections.unmodifiableMap(metadata);
  }

  @Override
  public TensorView tensor(String name) {
    TensorView tensor = tensors.get(name);
    if (tensor == null) {
      throw new CheckpointFormatException(path + ": no tensor " + name);
    }
    return tensor;
  }

  @Override
  public RotaryOrder rotaryOrder() {
    return RotaryOrder.HALF_SPLIT;
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
