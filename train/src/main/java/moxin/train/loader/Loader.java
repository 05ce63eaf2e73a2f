package moxin.train.loader;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import moxin.train.Batch;
import moxin.train.recipe.Packing;
import moxin.train.recipe.Phase;
import moxin.train.recipe.Source;

/// The batches of a phase, without end. The same phase, shards, seed and state give the same
/// batches. Not thread-safe; borrows its sources.
public final class Loader {
  private final Phase phase;
  private final List<Rows> rows;
  private final double[] weights;
  private final long[] drawn;

  private Loader(Phase phase, List<Rows> rows, double[] weights, long[] drawn) {
    this.phase = phase;
    this.rows = rows;
    this.weights = weights;
    this.drawn = drawn;
  }

  /// A batch and the state after it.
  public record Loaded(Batch batch, LoaderState state) {}

  /// Opens the loader of `phase` at `state`, or at the beginning.
  ///
  /// @param sources one for each of the phase's, in their order
  /// @param seed of all shuffling
  public static Loader open(
      Phase phase, List<TokenSource> sources, long seed, Optional<LoaderState> state) {
    List<Rows> rows = new ArrayList<>();
    double[] weights = new double[sources.size()];
    long[] drawn = new long[sources.size()];
    for (int i = 0; i < weights.length; i++) {
      Cursor cursor = Cursor.START;
      if (state.isPresent()) {
        LoaderState.SourceState saved = state.get().sources().get(i);
        cursor = saved.cursor();
        drawn[i] = saved.rows();
      }
      TokenSource source = sources.get(i);
      weights[i] = weightOf(phase.sources().get(i), source);
      long own = Permutation.mix(seed, i);
      rows.add(rowsOf(phase, source, own, cursor));
    }
    double sum = 0;
    for (double weight : weights) {
      sum += weight;
    }
    for (int i = 0; i < weights.length; i++) {
      weights[i] /= sum;
    }
    return new Loader(phase, rows, weights, drawn);
  }

  private static Rows rowsOf(Phase phase, TokenSource source, long seed, Cursor cursor) {
    if (phase.packing() == Packing.DOCUMENTS) {
      return phase.shuffle()
          ? new PackedRows(source, phase.contextLength(), seed, cursor)
          : new DocumentRows(source, Rows.End.WRAP, cursor);
    }
    return new WindowRows(
        source,
        phase.contextLength(),
        phase.windowStride(),
        phase.shuffle(),
        seed,
        Rows.End.WRAP,
        cursor);
  }

  /// How many rows one pass over `sources` has.
  public static long rowsPerEpoch(Phase phase, List<TokenSource> sources) {
    long count = 0;
    for (TokenSource source : sources) {
      count +=
          phase.packing() == Packing.DOCUMENTS
              ? documentRows(phase, source)
              : WindowRows.count(source.size(), phase.contextLength(), phase.windowStride());
    }
    return count;
  }

  private static long documentRows(Phase phase, TokenSource source) {
    return phase.shuffle()
        ? RowPlan.of(source, phase.contextLength()).rows()
        : Math.ceilDiv(source.size(), phase.contextLength());
  }

  /// The next micro-batch.
  public Loaded next() {
    RowBuffer buffer = new RowBuffer(phase.batchSize(), phase.contextLength());
    for (int row = 0; row < buffer.rows; row++) {
      int source = mostBehind();
      rows.get(source).next(buffer, row);
      drawn[source]++;
    }
    return new Loaded(buffer.batch(), state());
  }

  private LoaderState state() {
    List<LoaderState.SourceState> states = new ArrayList<>();
    for (int i = 0; i < drawn.length; i++) {
      states.add(new LoaderState.SourceState(drawn[i], rows.get(i).cursor()));
    }
    return new LoaderState(states);
  }

  /// The source that lacks most to its share; it never lags by more than a row.
  private int mostBehind() {
    long total = 1;
    for (long count : drawn) {
      total += count;
    }
    int best = 0;
    for (int i = 1; i < drawn.length; i++) {
      if (weights[i] * total - drawn[i] > weights[best] * total - drawn[best]) {
        best = i;
      }
    }
    return best;
  }

  private static double weightOf(Source recipe, TokenSource source) {
    Double weight = recipe.weight();
    return weight == null ? source.size() : weight;
  }
}
