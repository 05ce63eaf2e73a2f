package moxin.infer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import moxin.model.ModelConfig;
import moxin.model.Precision;
import org.jspecify.annotations.Nullable;

/// Keys and values of one session in native memory; position `p` lives in slot `p mod capacity`.
/// Blocks of 32 slots are allocated when first written, all heads of a layer in one: keys `(G, D,
/// 32)`, values `(G, 32, D)`.
///
/// The capacity is a multiple of 32, so that a block of slots holds 32 neighbouring positions that
/// begin at a multiple of 32.
final class KvCache implements AutoCloseable {
  /// Slots of a block.
  static final int BLOCK = 32;

  private final ModelConfig config;
  private final KvType type;
  private final int chunk;
  private final int window;
  private final int capacity;
  private final int depth;
  private final int groups;
  private final @Nullable MemorySegment[][] keys;
  private final @Nullable MemorySegment[][] values;
  private final Arena arena = Arena.ofShared();
  private int position;
  private int oldest;

  /// @param chunk how many positions may be written before the first of them is read
  @SuppressWarnings("MustBeClosedChecker")
  KvCache(ModelConfig config, KvType type, int chunk) {
    this.config = config;
    this.type = type;
    this.chunk = chunk;
    this.depth = config.headDim();
    this.groups = config.numKeyValueHeads();
    this.window = config.slidingWindow().orElse(Integer.MAX_VALUE);
    long slots =
        config.slidingWindow().isPresent()
            ? (long) window + chunk - 1
            : config.maxPositionEmbeddings();
    long blocks = (slots + BLOCK - 1) / BLOCK;
    this.capacity = Math.toIntExact(blocks * BLOCK);
    this.keys = new MemorySegment[config.numHiddenLayers()][(int) blocks];
    this.values = new MemorySegment[config.numHiddenLayers()][(int) blocks];
  }

  int position() {
    return position;
  }

  /// The lowest position that a query at `at` sees.
  int firstVisible(int at) {
    return Math.max(0, at - window + 1);
  }

  /// Writes the keys `(D, 32)` of head `group` in the block of position `at` to `panel`, in fp32.
  void keys(int layer, int at, int group, BlockKernels kernels, float[] panel) {
    if (type == KvType.Q8) {
      kernels.widenColumns(part(block(keys[layer], at), group), panel, depth);
    } else {
      panel(keys[layer], at, group, kernels, panel);
    }
  }

  /// Writes the values `(32, D)`, likewise.
  void values(int layer, int at, int group, BlockKernels kernels, float[] panel) {
    if (type == KvType.Q8) {
      kernels.widenRows(part(block(values[layer], at), group), panel, depth);
    } else {
      panel(values[layer], at, group, kernels, panel);
    }
  }

  private void panel(
      @Nullable MemorySegment[] blocks, int at, int group, BlockKernels kernels, float[] panel) {
    kernels.widen(part(block(blocks, at), group), type, panel, depth * BLOCK);
  }

  /// The part of head `group` in a block.
  private MemorySegment part(MemorySegment block, int group) {
    long bytes = type.byteSize(depth, BLOCK);
    return block.asSlice(group * bytes, bytes);
  }

  /// Allocates what the positions `[position, position + count)` of all layers need.
  void reserve(int count) {
    for (int layer = 0; layer < keys.length; layer++) {
      for (int at = position / BLOCK * BLOCK; at < position + count; at += BLOCK) {
        block(keys[layer], at);
        block(values[layer], at);
      }
    }
  }

  /// Writes the key and value of position `at`, `(G, D)` each.
  void put(int layer, int at, float[] key, float[] value) {
    MemorySegment keyBlock = block(keys[layer], at);
    MemorySegment valueBlock = block(values[layer], at);
    switch (type) {
      case F32 -> {
        for (int i = 0; i < key.length; i++) {
          keyBlock.set(ValueLayout.JAVA_FLOAT, keyPlace(i, at) * Float.BYTES, key[i]);
          valueBlock.set(ValueLayout.JAVA_FLOAT, valuePlace(i, at) * Float.BYTES, value[i]);
        }
      }
      case F16 -> {
        for (int i = 0; i < key.length; i++) {
          putShort(keyBlock, keyPlace(i, at), Float.floatToFloat16(key[i]));
          putShort(valueBlock, valuePlace(i, at), Float.floatToFloat16(value[i]));
        }
      }
      case BF16 -> {
        for (int i = 0; i < key.length; i++) {
          putShort(keyBlock, keyPlace(i, at), Precision.floatToBf16(key[i]));
          putShort(valueBlock, valuePlace(i, at), Precision.floatToBf16(value[i]));
        }
      }
      case Q8 -> {
        for (int group = 0; group < groups; group++) {
          putBytes(part(keyBlock, group), key, group, at % BLOCK, BLOCK, at % BLOCK);
          putBytes(part(valueBlock, group), value, group, at % BLOCK * depth, 1, at % BLOCK);
        }
      }
    }
  }

  /// Quantises the vector of head `group` to int8, symmetric around zero, its largest number to
  /// ±127.
  ///
  /// @param first where its first number goes, `step` how far the next ones are apart
  /// @param slot of its scale
  private void putBytes(
      MemorySegment part, float[] vectors, int group, int first, int step, int slot) {
    float largest = 0;
    for (int i = group * depth; i < (group + 1) * depth; i++) {
      largest = Math.max(largest, Math.abs(vectors[i]));
    }
    float scale = largest / Byte.MAX_VALUE;
    float inverse = largest == 0 ? 0 : Byte.MAX_VALUE / largest;
    part.set(ValueLayout.JAVA_FLOAT, (long) slot * Float.BYTES, scale);
    long numbers = (long) BLOCK * Float.BYTES + first;
    for (int i = 0; i < depth; i++) {
      byte rounded = (byte) Math.rint(vectors[group * depth + i] * inverse);
      part.set(ValueLayout.JAVA_BYTE, numbers + (long) i * step, rounded);
    }
  }

  private static long keyPlace(int i, int at) {
    return (long) i * BLOCK + at % BLOCK;
  }

  private long valuePlace(int i, int at) {
    return ((long) (i / depth) * BLOCK + at % BLOCK) * depth + i % depth;
  }

  private static void putShort(MemorySegment block, long place, short bits) {
    block.set(ValueLayout.JAVA_SHORT, place * Short.BYTES, bits);
  }

  /// Counts `count` positions as written.
  void advance(int count) {
    position = Math.addExact(position, count);
    oldest = Math.max(oldest, position - capacity);
  }

  boolean canRewindTo(int target) {
    return target >= 0
        && target <= position
        && (target == position || firstVisible(target) >= oldest);
  }

  void rewindTo(int target) {
    position = target;
  }

  private long blockBytes() {
    return groups * type.byteSize(depth, BLOCK);
  }

  private MemorySegment block(@Nullable MemorySegment[] blocks, int at) {
    int index = at % capacity / BLOCK;
    MemorySegment found = blocks[index];
    if (found == null) {
      found = arena.allocate(blockBytes(), 64);
      blocks[index] = found;
    }
    return found;
  }

  /// How many positions may be written next without overwriting what a rewind to here needs.
  int rewindReach() {
    return capacity - (position - firstVisible(position));
  }

  /// A copy of the first `target` positions, to which this cache could rewind.
  KvCache fork(int target) {
    KvCache fork = new KvCache(config, type, chunk);
    boolean rolled = oldest > 0;
    int blocks = ((rolled ? capacity : target) + BLOCK - 1) / BLOCK;
    copyBlocks(keys, fork.keys, blocks, fork.arena);
    copyBlocks(values, fork.values, blocks, fork.arena);
    fork.position = target;
    fork.oldest = oldest;
    return fork;
  }

  private static void copyBlocks(
      @Nullable MemorySegment[][] from, @Nullable MemorySegment[][] to, int blocks, Arena arena) {
    for (int layer = 0; layer < from.length; layer++) {
      for (int i = 0; i < blocks; i++) {
        MemorySegment block = from[layer][i];
        if (block != null) {
          to[layer][i] = arena.allocate(block.byteSize(), 64).copyFrom(block);
        }
      }
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
