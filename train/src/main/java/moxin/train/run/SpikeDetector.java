package moxin.train.run;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Locale;
import java.util.Optional;
import moxin.train.recipe.OnSpike;
import moxin.train.recipe.SpikeMeasure;

/// Tells spikes of loss and gradient norm from the steps before them. Only what is far above is a
/// spike; nothing is before the window is full. Spikes do not enter the window, so that one does
/// not hide the next.
final class SpikeDetector {
  private static final double LEAST_DEVIATION = 1e-3;

  private final OnSpike recipe;
  private final Deque<Double> losses = new ArrayDeque<>();
  private final Deque<Double> norms = new ArrayDeque<>();

  SpikeDetector(OnSpike recipe) {
    this.recipe = recipe;
  }

  /// What of a step is a spike, in words; empty if nothing is.
  Optional<String> spike(double loss, double norm) {
    return above("loss", losses, loss).or(() -> above("gradient norm", norms, norm));
  }

  /// Adds a good step.
  void add(double loss, double norm) {
    push(losses, loss);
    push(norms, norm);
  }

  /// Forgets all steps, as where a phase begins and other data come.
  void clear() {
    losses.clear();
    norms.clear();
  }

  SpikeWindow window() {
    return new SpikeWindow(new ArrayList<>(losses), new ArrayList<>(norms));
  }

  void restore(SpikeWindow window) {
    clear();
    losses.addAll(window.losses());
    norms.addAll(window.norms());
  }

  private Optional<String> above(String name, Deque<Double> values, double value) {
    if (values.size() < recipe.window()) {
      return Optional.empty();
    }
    double sum = 0;
    for (double each : values) {
      sum += each;
    }
    double mean = sum / values.size();
    double squares = 0;
    for (double each : values) {
      squares += (each - mean) * (each - mean);
    }
    double deviation =
        Math.max(Math.sqrt(squares / values.size()), LEAST_DEVIATION * Math.abs(mean));
    boolean standard = recipe.measure() == SpikeMeasure.Z_SCORE;
    double found = standard ? (value - mean) / deviation : value / mean;
    return found > recipe.threshold()
        ? Optional.of(
            String.format(
                Locale.ROOT,
                standard
                    ? "%s %.4g is %.1f standard deviations above the mean %.4g of %d steps"
                    : "%s %.4g is %.1f times the mean %.4g of %d steps",
                name,
                value,
                found,
                mean,
                values.size()))
        : Optional.empty();
  }

  private void push(Deque<Double> values, double value) {
    if (values.size() == recipe.window()) {
      values.removeFirst();
    }
    values.addLast(value);
  }
}
