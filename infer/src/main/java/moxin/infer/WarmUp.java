package moxin.infer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import moxin.job.Join;
import moxin.model.ModelConfig;

/// Runs the kernels of a block on a thread of its own while the weights of a large model are being
/// packed, so that they are compiled when the first token needs them: interpreted, vectors are
/// objects, and a token of 36 layers takes seconds.
final class WarmUp implements AutoCloseable {
  /// Weights from which packing takes long enough.
  private static final long LARGE = 500_000_000;

  /// Calls of each kernel: about as many vectors as make the compiler do its best.
  private static final int ROUNDS = 400;

  private static final int ROWS = 4;

  private final BlockKernels kernels;
  private final ModelConfig config;
  private final KvType type;
  private final Thread thread;
  private volatile boolean closed;

  private WarmUp(BlockKernels kernels, ModelConfig config, KvType type) {
    this.kernels = kernels;
    this.config = config;
    this.type = type;
    this.thread = Thread.ofPlatform().name("moxin-warm-up").daemon().unstarted(this::run);
  }

  /// Begins, where the model is large.
  static WarmUp start(BlockKernels kernels, ModelConfig config, KvType type) {
    WarmUp warmUp = new WarmUp(kernels, config, type);
    if (config.parameterCount() >= LARGE) {
      warmUp.thread.start();
    }
    return warmUp;
  }

  private void run() {
    int depth = config.headDim();
    int width = Math.max(config.hiddenSize(), config.intermediateSize());
    int block = KvCache.BLOCK;
    float[] panel = new float[depth * block];
    float[] queries = new float[ROWS * depth];
    float[] scores = new float[ROWS * block];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x = arena.allocate((long) width * Float.BYTES, 64);
      MemorySegment y = arena.allocate((long) width * Float.BYTES, 64);
      MemorySegment cached = arena.allocate(type.byteSize(depth, block), 64);
      for (int i = 0; i < ROUNDS && !closed; i++) {
        kernels.normalise(x, 0, y, config.hiddenSize(), config.rmsNormEps(), x, 0);
        kernels.add(y, 0, x, 0, config.hiddenSize());
        kernels.gate(x, 0, y, 0, config.intermediateSize());
        kernels.rotate(x, 0, config.numKeyValueHeads(), depth, y, y, 0);
        for (int head = 0; head < config.numKeyValueHeads(); head++) {
          if (type == KvType.Q8) {
            kernels.widenColumns(cached, panel, depth);
            kernels.widenRows(cached, panel, depth);
          } else {
            kernels.widen(cached, type, panel, depth * block);
          }
          kernels.accumulate(queries, 0, depth, ROWS, depth, panel, block, scores, 0, block, block);
          kernels.exponentials(scores, 0, block, 1);
          kernels.accumulate(scores, 0, block, ROWS, block, panel, depth, queries, 0, depth, depth);
          kernels.scale(queries, 0, 1, x, 0, depth);
        }
      }
    }
  }

  /// Ends it; returns when the kernels are no longer in use.
  @Override
  public void close() {
    closed = true;
    Join.uninterruptibly(thread);
  }
}
