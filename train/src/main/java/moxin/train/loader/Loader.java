package moxin.train.loader;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import moxin.job.BadInputException;
import moxin.train.Batch;
import moxin.train.recipe.Packing;
import moxin.train.recipe.Phase;

/// The batches of a phase. The same phase, shards, seed and state give the same batches. Not
/// thread-safe but for [#load]; borrows its sources.
public final class Loader {
  private final Phase phase;
  private final List<TokenSource> sources;
  private final RowSequence sequence;
  private final long[] drawn;

  private Loader(Phase phase, List<TokenSource> sources, RowSequence sequence, long[] drawn) {
    this.phase = phase;
    this.sources = sources;
    this.sequence = sequence;
    this.drawn = drawn;
  }

  /// A batch and the state after it.
  public record Loaded(Batch batch, LoaderState state) {}

  /// Which rows a batch has, and the state after it.
  record Draw(List<RowSequence.SourceRow> rows, LoaderState state) {}

  /// Opens the loader of `phase` at `state`, or at the beginning.
  ///
  /// @param sources one for each of the phase's, in their order
  /// @param seed of all shuffling
  public static Loader open(
      Phase phase, List<TokenSource> sources, long seed, Optional<LoaderState> state) {
    long[] drawn = new long[sources.size()];
    state.ifPresent(
        saved -> {
          for (int i = 0; i < drawn.length; i++) {
            drawn[i] = saved.sources().get(i).rows();
          }
        });
    return new Loader(phase, sources, RowSequence.of(phase, sources, seed), drawn);
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
  ///
  /// @throws BadInputException if the sources have no more rows for one
  public Loaded next() {
    return load(draw().orElseThrow(this::exhausted));
  }

  /// What is thrown where a phase asks for more than its sources may give.
  BadInputException exhausted() {
    return new BadInputException(
        "phase " + phase.name() + ": its sources are exhausted before its last step");
  }

  /// Decides on the rows of the next micro-batch without reading them; empty where the sources have
  /// no more rows for a whole one.
  Optional<Draw> draw() {
    List<RowSequence.SourceRow> rows = new ArrayList<>();
    for (int row = 0; row < phase.batchSize(); row++) {
      int source = sequence.nextSource(drawn);
      if (source < 0) {
        return Optional.empty();
      }
      rows.add(sequence.row(source, drawn[source]++));
    }
    LoaderState state =
        new LoaderState(LongStream.of(drawn).mapToObj(LoaderState.SourceState::new).toList());
    return Optional.of(new Draw(rows, state));
  }

  /// Reads the rows of `draw`; may run on several threads at once.
  Loaded load(Draw draw) {
    RowBuffer buffer = new RowBuffer(phase.batchSize(), phase.contextLength());
    for (int row = 0; row < buffer.rows; row++) {
      RowSequence.SourceRow drawnRow = draw.rows().get(row);
      buffer.fill(row, sources.get(drawnRow.source()), drawnRow.pieces());
    }
    return new Loaded(buffer.batch(), draw.state());
  }
}
