package moxin.model;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import moxin.job.AtomicFile;

/// Writes safetensors files; each appears whole or not at all. The same tensors give the same
/// bytes.
public final class SafetensorsWriter {

  private static final int ALIGNMENT = 64;
  private static final long CHUNK_BYTES = 1 << 24;
  private static final long STAGING_BYTES = 1 << 20;

  private SafetensorsWriter() {}

  /// Hands out the data of tensors one at a time, so that a model larger than memory can be
  /// written.
  @FunctionalInterface
  public interface Source {

    /// The data of `spec`, of its dtype and shape. The view is read before the next call.
    TensorView tensor(TensorSpec spec) throws IOException;
  }

  /// Writes `tensors` to `file`.
  ///
  /// @param metadata strings for `__metadata__`; may be empty
  public static void write(Path file, List<TensorView> tensors, Map<String, String> metadata)
      throws IOException {
    Map<String, TensorView> byName = new HashMap<>();
    tensors.forEach(tensor -> byName.put(tensor.name(), tensor));
    write(
        file,
        tensors.stream().map(TensorSpec::of).toList(),
        metadata,
        spec -> java.util.Objects.requireNonNull(byName.get(spec.name())));
  }

  /// Writes the index of shards.
  ///
  /// @param fileOfTensor the name of the file beside the index that holds each tensor
  /// @param totalBytes of all tensors
  public static void writeIndex(Path file, Map<String, String> fileOfTensor, long totalBytes)
      throws IOException {
    new SafetensorsIndex(totalBytes, fileOfTensor).write(file);
  }

  /// Writes the tensors that `specs` announces to `file`, asking `source` for one after the other.
  ///
  /// @throws IllegalArgumentException if two specifications have one name, or the source gives
  ///   something else than was asked for
  public static void write(
      Path file, List<TensorSpec> specs, Map<String, String> metadata, Source source)
      throws IOException {
    List<TensorSpec> ordered = order(specs);
    byte[] header = header(ordered, metadata);
    AtomicFile.write(
        file,
        channel -> {
          writeFully(channel, ByteBuffer.wrap(header));
          for (TensorSpec spec : ordered) {
            writeTensor(channel, spec, source.tensor(spec));
          }
        });
  }

  /// Writes a model directory's weights: `model.safetensors` if all fits into one file of
  /// `maxShardBytes`, else `model-00001-of-0000N.safetensors` and so on with their index, which is
  /// written last. The weights that stood there before are no longer found.
  ///
  /// @param maxShardBytes how many bytes of tensors a file may hold; a larger tensor has its own
  public static void writeSharded(
      Path directory,
      List<TensorSpec> specs,
      Map<String, String> metadata,
      long maxShardBytes,
      Source source)
      throws IOException {
    requireDistinct(specs);
    List<List<TensorSpec>> shards = shards(specs, maxShardBytes);
    if (shards.size() == 1) {
      write(
          directory.resolve(SafetensorsCheckpoint.FILE_NAME), shards.getFirst(), metadata, source);
      Files.deleteIfExists(directory.resolve(SafetensorsCheckpoint.INDEX_NAME));
      return;
    }
    Map<String, String> weightMap = new TreeMap<>();
    long totalBytes = 0;
    for (int i = 0; i < shards.size(); i++) {
      String name = "model-%05d-of-%05d.safetensors".formatted(i + 1, shards.size());
      write(directory.resolve(name), shards.get(i), metadata, source);
      for (TensorSpec spec : shards.get(i)) {
        weightMap.put(spec.name(), name);
        totalBytes += spec.byteSize();
      }
    }
    new SafetensorsIndex(totalBytes, weightMap)
        .write(directory.resolve(SafetensorsCheckpoint.INDEX_NAME));
    Files.deleteIfExists(directory.resolve(SafetensorsCheckpoint.FILE_NAME));
  }

  private static List<List<TensorSpec>> shards(List<TensorSpec> specs, long maxShardBytes) {
    List<List<TensorSpec>> shards = new ArrayList<>();
    List<TensorSpec> current = new ArrayList<>();
    long bytes = 0;
    for (TensorSpec spec : specs) {
      if (!current.isEmpty() && bytes + spec.byteSize() > maxShardBytes) {
        shards.add(current);
        current = new ArrayList<>();
        bytes = 0;
      }
      current.add(spec);
      bytes += spec.byteSize();
    }
    shards.add(current);
    return shards;
  }

  /// Wider elements first, so that every tensor is aligned to its element size.
  private static List<TensorSpec> order(List<TensorSpec> specs) {
    requireDistinct(specs);
    Comparator<TensorSpec> byWidth = Comparator.comparingInt(spec -> spec.dtype().byteSize());
    return specs.stream().sorted(byWidth.reversed()).toList();
  }

  private static void requireDistinct(List<TensorSpec> specs) {
    Set<String> names = new HashSet<>();
    for (TensorSpec spec : specs) {
      if (!names.add(spec.name()) || spec.name().equals(SafetensorsHeader.METADATA)) {
        throw new IllegalArgumentException("no second tensor may be called " + spec.name());
      }
      if (spec.dtype().isQuantised()) {
        throw new IllegalArgumentException(
            spec.name() + ": safetensors has no type " + spec.dtype());
      }
    }
  }

  private static byte[] header(List<TensorSpec> specs, Map<String, String> metadata) {
    ObjectNode root = CheckpointJson.object();
    if (!metadata.isEmpty()) {
      ObjectNode strings = root.putObject(SafetensorsHeader.METADATA);
      new TreeMap<>(metadata).forEach(strings::put);
    }
    long position = 0;
    for (TensorSpec spec : specs) {
      ObjectNode tensor = root.putObject(spec.name()).put("dtype", spec.dtype().name());
      ArrayNode shape = tensor.putArray("shape");
      spec.shape().forEach(shape::add);
      long end = Math.addExact(position, spec.byteSize());
      tensor.putArray("data_offsets").add(position).add(end);
      position = end;
    }
    byte[] json = CheckpointJson.compact(root);
    int unpadded = Long.BYTES + json.length;
    int padded = (unpadded + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    byte[] bytes = new byte[padded];
    Arrays.fill(bytes, (byte) ' ');
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(padded - Long.BYTES).put(json);
    return bytes;
  }

  private static void writeTensor(FileChannel channel, TensorSpec spec, TensorView view)
      throws IOException {
    if (!TensorSpec.of(view).equals(spec)) {
      throw new IllegalArgumentException("asked for " + spec + ", given " + TensorSpec.of(view));
    }
    MemorySegment data = view.data();
    try (Arena arena = Arena.ofConfined()) {
      // Only native memory can be handed to a channel, and a segment may be a Java array.
      MemorySegment staging = data.isNative() ? data : arena.allocate(STAGING_BYTES);
      long step = data.isNative() ? CHUNK_BYTES : STAGING_BYTES;
      for (long at = 0; at < data.byteSize(); at += step) {
        long bytes = Math.min(step, data.byteSize() - at);
        MemorySegment chunk =
            data.isNative()
                ? data.asSlice(at, bytes)
                : staging.asSlice(0, bytes).copyFrom(data.asSlice(at, bytes));
        writeFully(channel, chunk.asByteBuffer());
      }
    }
  }

  private static void writeFully(FileChannel channel, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }
}
