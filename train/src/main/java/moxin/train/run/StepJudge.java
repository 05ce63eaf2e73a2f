package moxin.train.run;

import java.util.Optional;
import moxin.train.recipe.NonFiniteLoss;
import moxin.train.recipe.OnSpike;
import moxin.train.recipe.SpikeAction;
import moxin.train.recipe.TrainingRecipe;

/// Decides what becomes of a step whose loss or gradients are not what they should be.
final class StepJudge {
  private final TrainingRecipe recipe;
  private final Optional<SpikeDetector> spikes;

  StepJudge(TrainingRecipe recipe) {
    this.recipe = recipe;
    this.spikes = Optional.ofNullable(recipe.onSpike()).map(SpikeDetector::new);
  }

  /// What is wrong with a step and what is to follow.
  ///
  /// @param kind as in [Incident]
  record Verdict(String kind, String finding, SpikeAction action) {}

  /// Empty if the step is good.
  Optional<Verdict> judge(double loss, double norm) {
    if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
      SpikeAction action =
          switch (recipe.onNonFiniteLoss()) {
            case STOP -> SpikeAction.STOP;
            case SKIP -> SpikeAction.SKIP;
            case ROLLBACK -> SpikeAction.ROLLBACK;
          };
      return Optional.of(
          new Verdict("nonFinite", "loss " + loss + ", gradient norm " + norm, action));
    }
    OnSpike onSpike = recipe.onSpike();
    return onSpike == null
        ? Optional.empty()
        : spikes
            .flatMap(detector -> detector.spike(loss, norm))
            .map(finding -> new Verdict("spike", finding, onSpike.action()));
  }

  /// Takes a good step into account.
  void accept(double loss, double norm) {
    spikes.ifPresent(detector -> detector.add(loss, norm));
  }

  /// Forgets the steps of another phase.
  void clear() {
    spikes.ifPresent(SpikeDetector::clear);
  }

  Optional<SpikeWindow> window() {
    return spikes.map(SpikeDetector::window);
  }

  void restore(Optional<SpikeWindow> window) {
    clear();
    spikes.ifPresent(detector -> window.ifPresent(detector::restore));
  }

  /// How often a run may return to one checkpoint.
  int maxRollbacks() {
    OnSpike onSpike = recipe.onSpike();
    return (onSpike == null ? new OnSpike(null, null, null, null, null) : onSpike).maxRollbacks();
  }

  /// Whether what follows a bad step depends on when checkpoints are written.
  static boolean mayRollBack(TrainingRecipe recipe) {
    OnSpike onSpike = recipe.onSpike();
    return recipe.onNonFiniteLoss() == NonFiniteLoss.ROLLBACK
        || (onSpike != null && onSpike.action() == SpikeAction.ROLLBACK);
  }
}
