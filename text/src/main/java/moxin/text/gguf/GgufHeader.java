package moxin.text.gguf;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Everything of a GGUF file that stands before its tensors' data, checked: counts and lengths lie
/// within the file, keys and names are unique, offsets are aligned. Whether the tensors' data lies
/// within the file depends on their types, which are not known here.
///
/// @param tensors in file order
/// @param alignment of the tensors' data in bytes
/// @param dataOffset where the data of the tensors begins in the file
public record GgufHeader(
    int version,
    GgufMetadata metadata,
    List<GgufTensorInfo> tensors,
    int alignment,
    long dataOffset) {

  /// Longer headers are refused.
  public static final long MAX_BYTES = 1L << 28;

  /// The longest name of a tensor in bytes, as ggml has it.
  public static final int MAX_NAME_BYTES = 63;

  /// The alignment where the metadata gives none.
  public static final int DEFAULT_ALIGNMENT = 32;

  static final String ALIGNMENT_KEY = "general.alignment";
  static final int MAGIC = 0x46554747;
  static final int VERSION = 3;

  private static final int MAX_KEY_BYTES = 65535;
  private static final int MAX_DIMENSIONS = 4;
  private static final int MAX_ALIGNMENT = 1 << 20;

  public GgufHeader {
    tensors = List.copyOf(tensors);
  }

  /// Reads the header of `file`.
  ///
  /// @throws GgufFormatException if it is not a GGUF file of version 2 or 3, or damaged
  /// @throws IOException if it cannot be read
  public static GgufHeader read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new GgufFormatException(file + ": no such file");
    }
    try (FileChannel channel = FileChannel.open(file);
        Arena arena = Arena.ofConfined()) {
      long bytes = Math.min(channel.size(), MAX_BYTES);
      return parse(file.toString(), channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes, arena));
    }
  }

  /// Whether `file` begins as GGUF files do.
  public static boolean isGguf(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      return false;
    }
    try (var in = Files.newInputStream(file)) {
      byte[] start = in.readNBytes(Integer.BYTES);
      return java.util.Arrays.equals(start, new byte[] {'G', 'G', 'U', 'F'});
    }
  }

  /// Reads the header at the beginning of `file`, of which nothing is kept.
  ///
  /// @param origin names the file in errors
  /// @throws GgufFormatException as [#read]
  public static GgufHeader parse(String origin, MemorySegment file) {
    GgufReader in = new GgufReader(origin, file);
    int magic = in.int32();
    if (magic != MAGIC) {
      throw in.wrong(0, "0x%08x".formatted(magic), "GGUF, 0x%08x".formatted(MAGIC));
    }
    int version = in.int32();
    if (version != 2 && version != VERSION) {
      boolean swapped = Integer.reverseBytes(version) > 0 && Integer.reverseBytes(version) <= 3;
      throw in.wrong(
          4,
          swapped ? "a big-endian file" : "version " + Integer.toUnsignedString(version),
          "version 2 or 3, little-endian");
    }
    long tensorCount = in.int64();
    long pairCount = in.int64();
    GgufMetadata metadata = new GgufMetadata(origin, pairs(in, pairCount));
    int alignment = alignment(metadata);
    List<GgufTensorInfo> tensors = tensors(in, tensorCount, alignment);
    long dataOffset = (in.position() + alignment - 1) / alignment * alignment;
    return new GgufHeader(version, metadata, tensors, alignment, dataOffset);
  }

  private static Map<String, GgufValue> pairs(GgufReader in, long count) {
    if (count < 0) {
      throw in.wrong(16, Long.toUnsignedString(count) + " metadata pairs", "fewer");
    }
    Map<String, GgufValue> pairs = new LinkedHashMap<>();
    for (long i = 0; i < count; i++) {
      long at = in.position();
      String key = in.name("a key", MAX_KEY_BYTES);
      if (pairs.put(key, in.value(key)) != null) {
        throw in.wrong(at, "a second " + GgufReader.shown(key), "each key once");
      }
    }
    return pairs;
  }

  private static int alignment(GgufMetadata metadata) {
    int alignment = metadata.integer(ALIGNMENT_KEY).orElse(DEFAULT_ALIGNMENT);
    if (alignment < 8 || alignment > MAX_ALIGNMENT || Integer.bitCount(alignment) != 1) {
      throw metadata.wrong(
          ALIGNMENT_KEY, Integer.toString(alignment), "a power of two from 8 to " + MAX_ALIGNMENT);
    }
    return alignment;
  }

  private static List<GgufTensorInfo> tensors(GgufReader in, long count, int alignment) {
    if (count < 0) {
      throw in.wrong(8, Long.toUnsignedString(count) + " tensors", "fewer");
    }
    List<GgufTensorInfo> tensors = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (long i = 0; i < count; i++) {
      long at = in.position();
      GgufTensorInfo tensor = tensor(in, alignment);
      if (!names.add(tensor.name())) {
        throw in.wrong(at, "a second tensor " + tensor.name(), "each name once");
      }
      tensors.add(tensor);
    }
    return tensors;
  }

  private static GgufTensorInfo tensor(GgufReader in, int alignment) {
    String name = in.name("a tensor's name", MAX_NAME_BYTES);
    long at = in.position();
    int rank = in.int32();
    if (rank < 0 || rank > MAX_DIMENSIONS) {
      throw in.wrong(at, name + ": " + Integer.toUnsignedString(rank) + " dimensions", "at most 4");
    }
    List<Long> dimensions = new ArrayList<>();
    for (int i = 0; i < rank; i++) {
      at = in.position();
      long dimension = in.int64();
      if (dimension < 0) {
        throw in.wrong(
            at, name + ": a dimension of " + Long.toUnsignedString(dimension), "at most 2^63 - 1");
      }
      dimensions.add(dimension);
    }
    int type = in.int32();
    at = in.position();
    long offset = in.int64();
    if (offset < 0 || offset % alignment != 0) {
      throw in.wrong(
          at,
          name + ": offset " + Long.toUnsignedString(offset),
          "a multiple of the alignment " + alignment);
    }
    return new GgufTensorInfo(name, dimensions, type, offset);
  }
}
