package moxin.train.report;

import java.util.Locale;

/// The axes of a drawing: a grid of values, ticks below, and the name of what runs to the right.
///
/// @param x from left to right; only whole numbers are labelled
/// @param xName what it counts
/// @param y from below to above
record PlotAxes(LinePlot.Size size, Scale x, String xName, Scale y) {

  void draw(Markup page) {
    for (double tick : y.ticks(size.rows)) {
      double at = size.bottom() - (size.bottom() - LinePlot.TOP) * y.position(tick);
      page.empty("path", "class", "grid", "d", LinePlot.line(LinePlot.LEFT, at, size.right(), at));
      label(page, y.label(tick, size.rows), LinePlot.LEFT - 6, at + 4, "end");
    }
    for (double tick : x.ticks(size.columns)) {
      if (tick == Math.rint(tick)) {
        double at = LinePlot.LEFT + (size.right() - LinePlot.LEFT) * x.position(tick);
        page.empty(
            "path", "class", "tick", "d", LinePlot.line(at, size.bottom(), at, size.bottom() + 4));
        label(page, x.label(tick, size.columns), at, size.bottom() + 17, "middle");
      }
    }
    page.empty(
        "path",
        "class",
        "axis",
        "d",
        LinePlot.line(LinePlot.LEFT, size.bottom(), size.right(), size.bottom()));
    label(page, xName.toLowerCase(Locale.ROOT), size.right(), size.height - 6, "end");
  }

  private static void label(Markup page, String text, double x, double y, String anchor) {
    page.leaf(
        "text", text, "x", LinePlot.number(x), "y", LinePlot.number(y), "text-anchor", anchor);
  }
}
