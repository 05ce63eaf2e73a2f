package moxin.infer;

import moxin.model.ModelConfig;
import org.jspecify.annotations.Nullable;

/// Keys and values of one session; position `p` lives in slot `p mod capacity`. Blocks of 32 slots
/// are allocated when first written. Keys of a block are `(G, D, 32)`, values `(32, G, D)`.
final class KvCache {
  private final int width;
  private final int window;
  private final int capacity;
  private final float[][] @Nullable [] keys;
  private final float[][] @Nullable [] values;
  private int position;
  private int oldest;

  /// @param chunk how many positions may be written before the first of them is read
  KvCache(ModelConfig config, int chunk) {
    this.width = config.numKeyValueHeads() * config.headDim();
    this.window = config.slidingWindow().orElse(Integer.MAX_VALUE);
    long slots =
        config.slidingWindow().isPresent()
            ? (long) window + chunk - 1
            : config.maxPositionEmbeddings();
    long blocks = (slots + Kernels.TILE - 1) / Kernels.TILE;
    this.capacity = Math.toIntExact(blocks * Kernels.TILE);
    this.keys = new float[config.numHiddenLayers()][(int) blocks][];
    this.values = new float[config.numHiddenLayers()][(int) blocks][];
  }

  private KvCache(KvCache origin, int target) {
    this.width = origin.width;
    this.window = origin.window;
    this.capacity = origin.capacity;
    this.position = target;
    this.oldest = origin.oldest;
    boolean rolled = origin.oldest > 0;
    int blocks = (rolled ? capacity : target) + Kernels.TILE - 1;
    this.keys = copies(origin.keys, blocks / Kernels.TILE);
    this.values = copies(origin.values, blocks / Kernels.TILE);
  }

  private static float[][] @Nullable [] copies(float[][] @Nullable [] layers, int blocks) {
    float[][] @Nullable [] copies = new float[layers.length][][];
    for (int layer = 0; layer < layers.length; layer++) {
      copies[layer] = new float[layers[layer].length][];
      for (int block = 0; block < blocks; block++) {
        float[] held = layers[layer][block];
        copies[layer][block] = held == null ? null : held.clone();
      }
    }
    return copies;
  }

  int position() {
    return position;
  }

  int slot(int at) {
    return at % capacity;
  }

  /// The lowest position that a query at `at` sees.
  int firstVisible(int at) {
    return Math.max(0, at - window + 1);
  }

  float[] keyBlock(int layer, int block) {
    return block(keys[layer], block);
  }

  float[] valueBlock(int layer, int block) {
    return block(values[layer], block);
  }

  /// Writes the key and value of position `at`.
  void put(int layer, int at, float[] key, int keyAt, float[] value, int valueAt) {
    int slot = slot(at);
    float[] keyBlock = block(keys[layer], slot / Kernels.TILE);
    for (int i = 0; i < width; i++) {
      keyBlock[i * Kernels.TILE + slot % Kernels.TILE] = key[keyAt + i];
    }
    float[] valueBlock = block(values[layer], slot / Kernels.TILE);
    System.arraycopy(value, valueAt, valueBlock, slot % Kernels.TILE * width, width);
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

  /// A copy of the first `target` positions, to which this cache could rewind.
  KvCache fork(int target) {
    return new KvCache(this, target);
  }

  private float[] block(float[] @Nullable [] blocks, int block) {
    float[] found = blocks[block];
    if (found == null) {
      found = new float[width * Kernels.TILE];
      blocks[block] = found;
    }
    return found;
  }
}
