package moxin.train.run;

import java.util.Locale;
import java.util.Optional;
import moxin.train.recipe.DivergenceWarning;

/// Warns once when the loss of a phase goes up for several windows, and once more when that happens
/// after a new best.
final class DivergenceWatch {
  private final DivergenceWarning recipe;
  private Trend training = Trend.NONE;
  private Trend heldOut = Trend.NONE;

  DivergenceWatch(DivergenceWarning recipe) {
    this.recipe = recipe;
  }

  /// Adds the loss of a step.
  ///
  /// @return a warning
  Optional<String> add(double loss) {
    if (recipe.window() == 0) {
      return Optional.empty();
    }
    training = training.with(loss);
    if (training.count() < recipe.window()) {
      return Optional.empty();
    }
    double mean = training.sum() / training.count();
    training = training.after(mean, recipe.margin());
    return warning(
        training, mean, "training loss, mean of " + recipe.window() + " steps,", " windows");
  }

  /// Adds a held-out loss.
  ///
  /// @return a warning
  Optional<String> addHeldOut(double loss) {
    if (recipe.window() == 0) {
      return Optional.empty();
    }
    heldOut = heldOut.after(loss, recipe.margin());
    return warning(heldOut, loss, "held-out loss", " measurements");
  }

  /// Forgets everything, as where a phase begins.
  void clear() {
    training = Trend.NONE;
    heldOut = Trend.NONE;
  }

  Trend training() {
    return training;
  }

  Trend heldOut() {
    return heldOut;
  }

  void restore(Trend savedTraining, Trend savedHeldOut) {
    training = savedTraining;
    heldOut = savedHeldOut;
  }

  private Optional<String> warning(Trend trend, double value, String what, String unit) {
    Double best = trend.best();
    return best == null || trend.above() != recipe.windows()
        ? Optional.empty()
        : Optional.of(
            String.format(
                Locale.ROOT,
                "the %s is %.4f, above its best of %.4f for %d%s",
                what,
                value,
                best,
                trend.above(),
                unit));
  }
}
