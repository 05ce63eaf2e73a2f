package moxin.infer;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import moxin.model.ModelConfig;
import moxin.model.Precision;
import org.jspecify.annotations.Nullable;

/// Keys and values of one session in native memory; position `p` lives in slot `p mod capacity`.
/// Slots are in pages of 32, allocated when first written. A page holds, layer by layer, keys `(G,
/// D, 32)` and values `(G, 32, D)`.
///
/// A fork has the pages of its origin until one of the two writes into them, which is then given a
/// copy of its own: sessions that begin with the same text have its keys and values once.
///
/// The capacity is a multiple of 32, so that a page holds 32 neighbouring positions that begin at a
/// multiple of 32.
final class KvCache implements AutoCloseable {
  /// Slots of a page.
  static final int BLOCK = 32;

  private static final long ALIGNMENT = 64;

  private final ModelConfig config;
  private final KvType type;
  private final int chunk;
  private final int window;
  private final int capacity;
  private final int depth;
  private final int groups;

  /// Bytes of the keys, or of the values, of one head in a page.
  private final long partBytes;

  /// Bytes from the keys of a layer to its values, and to the keys of the next.
  private final long stride;

  private final @Nullable KvPage[] pages;
  private int position;
  private int oldest;

  /// @param chunk how many positions may be written before the first of them is read
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
    long count = (slots + BLOCK - 1) / BLOCK;
    this.capacity = Math.toIntExact(count * BLOCK);
    this.partBytes = type.byteSize(depth, BLOCK);
    this.stride = (groups * partBytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    this.pages = new KvPage[(int) count];
  }

  int position() {
    return position;
  }

  /// The lowest position that a query at `at` sees.
  int firstVisible(int at) {
    return Math.max(0, at - window + 1);
  }

  /// Writes the keys `(D, 32)` of head `group` in the page of position `at` to `panel`, in fp32.
  void keys(int layer, int at, int group, BlockKernels kernels, float[] panel) {
    MemorySegment part = part(keys(layer, at), group);
    if (type == KvType.Q8) {
      kernels.widenColumns(part, panel, depth);
    } else {
      kernels.widen(part, type, panel, depth * BLOCK);
    }
  }

  /// Writes the values `(32, D)`, likewise.
  void values(int layer, int at, int group, BlockKernels kernels, float[] panel) {
    MemorySegment part = part(values(layer, at), group);
    if (type == KvType.Q8) {
      kernels.widenRows(part, panel, depth);
    } else {
      kernels.widen(part, type, panel, depth * BLOCK);
    }
  }

  /// The keys of a layer in the page of position `at`.
  private MemorySegment keys(int layer, int at) {
    return page(at).memory().asSlice(2L * layer * stride, groups * partBytes);
  }

  private MemorySegment values(int layer, int at) {
    return page(at).memory().asSlice((2L * layer + 1) * stride, groups * partBytes);
  }

  /// The part of head `group` in the keys or values of a layer.
  private MemorySegment part(MemorySegment block, int group) {
    return block.asSlice(group * partBytes, partBytes);
  }

  private KvPage page(int at) {
    KvPage page = pages[at % capacity / BLOCK];
    if (page == null) {
      throw new IllegalStateException("position " + at + " was never reserved");
    }
    return page;
  }

  /// Makes the positions `[position, position + count)` this cache's own to write.
  void reserve(int count) {
    for (int at = position / BLOCK * BLOCK; at < position + count; at += BLOCK) {
      int index = at % capacity / BLOCK;
      KvPage page = pages[index];
      if (page == null) {
        pages[index] = KvPage.allocate(2L * config.numHiddenLayers() * stride);
      } else if (page.isShared()) {
        pages[index] = page.split();
      }
    }
  }

  /// Writes the key and value of position `at`, `(G, D)` each, which has been reserved.
  void put(int layer, int at, float[] key, float[] value) {
    MemorySegment keyBlock = keys(layer, at);
    MemorySegment valueBlock = values(layer, at);
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

  /// How many positions may be written next without overwriting what a rewind to here needs.
  int rewindReach() {
    return capacity - (position - firstVisible(position));
  }

  /// The first `target` positions, to which this cache could rewind, in a cache of their own. Its
  /// pages are shared until one side writes into them.
  KvCache fork(int target) {
    KvCache fork = new KvCache(config, type, chunk);
    boolean rolled = oldest > 0;
    int count = ((rolled ? capacity : target) + BLOCK - 1) / BLOCK;
    for (int i = 0; i < count; i++) {
      KvPage page = pages[i];
      fork.pages[i] = page == null ? null : page.share();
    }
    fork.position = target;
    fork.oldest = oldest;
    return fork;
  }

  /// The pages allocated so far.
  List<KvPage> pages() {
    return Arrays.stream(pages).filter(Objects::nonNull).toList();
  }

  @Override
  public void close() {
    for (int i = 0; i < pages.length; i++) {
      KvPage page = pages[i];
      pages[i] = null;
      if (page != null) {
        page.release();
      }
    }
  }
}
