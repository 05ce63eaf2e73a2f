package moxin.infer;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import moxin.model.ModelConfig;

/// Softmax attention of the tokens of a pass over their caches, with grouped queries and a window.
///
/// A unit of work is one key and value head of a few neighbouring tokens: the keys of a block are
/// met by all their queries at once. Scores of a query are summed over the depth, weights and
/// values over positions, both in ascending order, in lanes and blocks that follow from the
/// position alone; so results do not depend on what else is in the pass.
final class Attention {
  private static final int QUERY_ROWS = 16;
  private static final int BLOCK = KvCache.BLOCK;

  private final ModelConfig config;
  private final BlockKernels kernels;
  private final Workers workers;
  private final int heads;
  private final int tokensPerUnit;
  private Scratch[] scratch = new Scratch[0];

  Attention(ModelConfig config, BlockKernels kernels, Workers workers) {
    this.config = config;
    this.kernels = kernels;
    this.workers = workers;
    this.heads = config.numAttentionHeads() / config.numKeyValueHeads();
    this.tokensPerUnit = Math.max(1, QUERY_ROWS / heads);
  }

  /// The units of a pass, the same for all its layers, with room to compute them.
  List<Unit> plan(List<Share> shares) {
    List<Unit> units = new ArrayList<>();
    int longest = 0;
    for (Share share : shares) {
      for (int from = 0; from < share.count(); from += tokensPerUnit) {
        Unit unit = new Unit(share, from, Math.min(tokensPerUnit, share.count() - from));
        units.add(unit);
        longest = Math.max(longest, unit.range());
      }
    }
    reserve(longest);
    return units;
  }

  private void reserve(int range) {
    if (scratch.length > 0 && scratch[0].range >= range) {
      return;
    }
    scratch = new Scratch[workers.threads()];
    for (int i = 0; i < scratch.length; i++) {
      scratch[i] = new Scratch(tokensPerUnit * heads, config.headDim(), range + 4 * BLOCK);
    }
  }

  /// Attends with `queries`, `(tokens, H, D)` after rotation, in layer `layer`, into `mixed` of the
  /// same shape; both with rows of `stride` floats.
  void run(int layer, List<Unit> units, MemorySegment queries, MemorySegment mixed, long stride) {
    int groups = config.numKeyValueHeads();
    workers.forEach(
        units.size() * groups,
        (index, thread) ->
            attend(
                layer,
                units.get(index / groups),
                index % groups,
                queries,
                mixed,
                stride,
                scratch[thread]));
  }

  private void attend(
      int layer,
      Unit unit,
      int group,
      MemorySegment queries,
      MemorySegment mixed,
      long stride,
      Scratch memory) {
    int depth = config.headDim();
    int rows = unit.count * heads;
    gather(unit, group, queries, stride, memory);
    int range = unit.range();
    KvCache cache = unit.share.cache();
    for (int row = 0; row < rows; row++) {
      Arrays.fill(memory.scores, row * memory.range, row * memory.range + range, 0);
    }
    for (int at = 0; at < range; at += BLOCK) {
      cache.keys(layer, unit.start() + at, group, kernels, memory.panel);
      kernels.accumulate(
          memory.queries,
          0,
          depth,
          rows,
          depth,
          memory.panel,
          BLOCK,
          memory.scores,
          at,
          memory.range,
          BLOCK);
    }
    softmax(unit, memory);
    Arrays.fill(memory.mixed, 0, rows * depth, 0);
    for (int at = 0; at < range; at += BLOCK) {
      cache.values(layer, unit.start() + at, group, kernels, memory.panel);
      kernels.accumulate(
          memory.scores,
          at,
          memory.range,
          rows,
          BLOCK,
          memory.panel,
          depth,
          memory.mixed,
          0,
          depth,
          depth);
    }
    scatter(unit, group, mixed, stride, memory);
  }

  private void gather(Unit unit, int group, MemorySegment queries, long stride, Scratch memory) {
    int count = heads * config.headDim();
    for (int n = 0; n < unit.count; n++) {
      long from = (unit.row(n) * stride + (long) group * count) * Float.BYTES;
      MemorySegment.copy(queries, ValueLayout.JAVA_FLOAT, from, memory.queries, n * count, count);
    }
  }

  /// Weights of all rows, 0 where a query does not see a position.
  private void softmax(Unit unit, Scratch memory) {
    float factor = (float) (1 / Math.sqrt(config.headDim()));
    int start = unit.start();
    int range = unit.range();
    for (int n = 0; n < unit.count; n++) {
      int position = unit.position(n);
      int first = unit.share.cache().firstVisible(position);
      int from = (first - start) / BLOCK * BLOCK;
      int to = (position - start) / BLOCK * BLOCK + BLOCK;
      for (int head = 0; head < heads; head++) {
        int row = (n * heads + head) * memory.range;
        Arrays.fill(memory.scores, row + from, row + first - start, Float.NEGATIVE_INFINITY);
        Arrays.fill(memory.scores, row + position - start + 1, row + to, Float.NEGATIVE_INFINITY);
        float sum = kernels.exponentials(memory.scores, row + from, to - from, factor);
        Arrays.fill(memory.scores, row, row + from, 0);
        Arrays.fill(memory.scores, row + to, row + range, 0);
        memory.inverses[n * heads + head] = 1 / sum;
      }
    }
  }

  private void scatter(Unit unit, int group, MemorySegment mixed, long stride, Scratch memory) {
    int depth = config.headDim();
    for (int n = 0; n < unit.count; n++) {
      for (int head = 0; head < heads; head++) {
        int row = n * heads + head;
        kernels.scale(
            memory.mixed,
            row * depth,
            memory.inverses[row],
            mixed,
            unit.row(n) * stride + (long) (group * heads + head) * depth,
            depth);
      }
    }
  }

  /// Some neighbouring tokens of a share: `count` of them from its token `from`.
  record Unit(Share share, int from, int count) {

    /// The position of token `n`.
    int position(int n) {
      return share.position() + from + n;
    }

    /// The row of token `n` in the pass.
    long row(int n) {
      return share.row() + (long) from + n;
    }

    /// The first position of the first block that a token sees.
    int start() {
      return share.cache().firstVisible(position(0)) / BLOCK * BLOCK;
    }

    /// How many positions there are from [#start] to the end of the last block.
    int range() {
      return position(count - 1) / BLOCK * BLOCK + BLOCK - start();
    }
  }

  /// What one thread computes in.
  ///
  /// @param range floats of a row of scores
  private record Scratch(
      int range, float[] queries, float[] scores, float[] mixed, float[] panel, float[] inverses) {

    Scratch(int rows, int depth, int range) {
      this(
          range,
          new float[rows * depth],
          new float[Math.multiplyExact(rows, range)],
          new float[rows * depth],
          new float[BLOCK * depth],
          new float[rows]);
    }
  }
}
