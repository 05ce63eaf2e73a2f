package moxin.train.estimate;

import moxin.train.recipe.Phase;

/// A phase and how many steps it has.
public record PhaseLength(Phase phase, long steps) {

  /// Positions of all steps.
  public long tokens() {
    return Math.multiplyExact(steps, phase.tokensPerStep());
  }
}
