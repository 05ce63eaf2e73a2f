package moxin.infer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import moxin.infer.kernel.MatrixKernels;
import moxin.infer.kernel.PackedMatrix;
import moxin.model.ModelConfig;

/// The activations of a pass, `(tokens, stride)` each, with strides of whole tiles. Grow when a
/// pass needs more, never shrink.
final class PassBuffers implements AutoCloseable {
  static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

  private final ModelConfig config;
  private final int hiddenStride;
  private final int queryStride;
  private final int keyStride;
  private final int gateStride;
  private int capacity;
  private Arena arena = Arena.ofShared();
  private MemorySegment hidden = MemorySegment.NULL;
  private MemorySegment normed = MemorySegment.NULL;
  private MemorySegment update = MemorySegment.NULL;
  private MemorySegment queries = MemorySegment.NULL;
  private MemorySegment keys = MemorySegment.NULL;
  private MemorySegment values = MemorySegment.NULL;
  private MemorySegment mixed = MemorySegment.NULL;
  private MemorySegment gate = MemorySegment.NULL;
  private MemorySegment up = MemorySegment.NULL;
  private MemorySegment cosines = MemorySegment.NULL;
  private MemorySegment sines = MemorySegment.NULL;
  private Arena logitsArena = Arena.ofShared();
  private MemorySegment logits = MemorySegment.NULL;

  @SuppressWarnings("MustBeClosedChecker")
  PassBuffers(ModelConfig config) {
    this.config = config;
    this.hiddenStride = pad(config.hiddenSize());
    this.queryStride = pad(config.numAttentionHeads() * config.headDim());
    this.keyStride = pad(config.numKeyValueHeads() * config.headDim());
    this.gateStride = pad(config.intermediateSize());
  }

  private static int pad(int rows) {
    return PackedMatrix.tiles(rows) * MatrixKernels.TILE;
  }

  /// Makes room for `tokens` tokens; what was in the buffers is lost if they grow.
  @SuppressWarnings("MustBeClosedChecker")
  void reserve(int tokens) {
    if (tokens <= capacity) {
      return;
    }
    arena.close();
    arena = Arena.ofShared();
    capacity = tokens;
    hidden = floats(hiddenStride);
    normed = floats(hiddenStride);
    update = floats(hiddenStride);
    queries = floats(queryStride);
    keys = floats(keyStride);
    values = floats(keyStride);
    mixed = floats(queryStride);
    gate = floats(gateStride);
    up = floats(gateStride);
    cosines = floats(config.headDim() / 2);
    sines = floats(config.headDim() / 2);
  }

  private MemorySegment floats(int stride) {
    return arena.allocate((long) capacity * stride * Float.BYTES, 64);
  }

  int hiddenStride() {
    return hiddenStride;
  }

  MemorySegment hidden() {
    return hidden;
  }

  MemorySegment normed() {
    return normed;
  }

  MemorySegment update() {
    return update;
  }

  MemorySegment queries() {
    return queries;
  }

  MemorySegment keys() {
    return keys;
  }

  MemorySegment values() {
    return values;
  }

  MemorySegment mixed() {
    return mixed;
  }

  MemorySegment gate() {
    return gate;
  }

  MemorySegment up() {
    return up;
  }

  MemorySegment cosines() {
    return cosines;
  }

  MemorySegment sines() {
    return sines;
  }

  /// Room for `rows` rows of logits.
  @SuppressWarnings("MustBeClosedChecker")
  MemorySegment logits(int rows, int stride) {
    long bytes = (long) rows * stride * Float.BYTES;
    if (logits.byteSize() < bytes) {
      logitsArena.close();
      logitsArena = Arena.ofShared();
      logits = logitsArena.allocate(bytes, 64);
    }
    return logits;
  }

  @Override
  public void close() {
    arena.close();
    logitsArena.close();
  }
}
