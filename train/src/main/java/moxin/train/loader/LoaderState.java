package moxin.train.loader;

import java.util.List;

/// All that decides which batches come next, besides the recipe and the shards.
///
/// @param sources one entry per source of the phase
public record LoaderState(List<SourceState> sources) {

  public LoaderState {
    sources = List.copyOf(sources);
  }

  /// The state of one source.
  ///
  /// @param rows how many rows were drawn from it
  public record SourceState(long rows) {}
}
