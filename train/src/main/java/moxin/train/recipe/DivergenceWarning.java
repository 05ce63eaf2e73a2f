package moxin.train.recipe;

import org.jspecify.annotations.Nullable;

/// When a run warns that its loss goes up: when the means of `windows` windows in a row, or that
/// many held-out losses, are above the best of the phase by `margin`.
///
/// @param window steps of a window; 100 unless given, 0 for no warning
/// @param windows in a row; 2 unless given
/// @param margin relative; 0.03 unless given
public record DivergenceWarning(Integer window, Integer windows, Double margin) {

  public DivergenceWarning(
      @Nullable Integer window, @Nullable Integer windows, @Nullable Double margin) {
    this.window = window == null ? 100 : window;
    this.windows = windows == null ? 2 : windows;
    this.margin = margin == null ? 0.03 : margin;
    Require.atLeast("window", this.window, 0);
    Require.atLeast("windows", this.windows, 1);
    Require.within("margin", this.margin, 0, 100);
  }
}
