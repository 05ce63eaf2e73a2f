package moxin.train.run;

import java.io.IOException;
import java.util.List;
import moxin.train.loader.LoaderState;
import moxin.train.loader.RowSequence;
import moxin.train.loader.TokenSource;
import moxin.train.recipe.Phase;
import org.jspecify.annotations.Nullable;

/// What a phase really read: a line of `mixture.jsonl`.
///
/// @param step of the run after which the phase ended
/// @param phase the phase's name
public record PhaseMixture(long step, String phase, List<SourceShare> sources) {

  public PhaseMixture {
    sources = List.copyOf(sources);
  }

  /// A source's part.
  ///
  /// @param source as the recipe calls it
  /// @param weight its share as the recipe wants it, of 1 in all
  /// @param share of the rows that it had
  /// @param rows how many that is
  /// @param tokens the positions of these rows, padding included
  /// @param epochs passes over the source
  public record SourceShare(
      String source, double weight, double share, long rows, long tokens, double epochs) {}

  /// What the rows up to `state` are.
  static PhaseMixture of(
      Plan.Planned planned,
      List<TokenSource> sources,
      long seed,
      long step,
      @Nullable LoaderState state) {
    Phase phase = planned.phase();
    RowSequence sequence = RowSequence.of(phase, sources, planned.seed(seed));
    List<RowSequence.Usage> usage = state == null ? sequence.usageAfter(0) : sequence.usage(state);
    long all = usage.stream().mapToLong(RowSequence.Usage::rows).sum();
    return new PhaseMixture(
        step, phase.name(), usage.stream().map(used -> share(used, all, phase)).toList());
  }

  private static SourceShare share(RowSequence.Usage used, long all, Phase phase) {
    return new SourceShare(
        used.source(),
        used.share(),
        used.rows() / (double) Math.max(1, all),
        used.rows(),
        used.rows() * phase.contextLength(),
        used.passes());
  }

  /// Appends this line, in place of what an earlier attempt at this step or a later one left.
  void addTo(RunDirectory run) throws IOException {
    try (JsonLog log = JsonLog.open(run.mixture(), step - 1)) {
      log.add(this);
      log.sync();
    }
  }
}
