package moxin.train.report;

import java.util.List;
import java.util.stream.Stream;

/// Curves of several runs over each other, drawn as SVG.
///
/// @param caption what is drawn, for those who do not see it
/// @param xName what runs to the right
/// @param curves at least one of them with a point
record OverlayPlot(String caption, String xName, List<RunCurve> curves) {

  /// Whether there is anything to draw.
  boolean isEmpty() {
    return curves.stream().allMatch(curve -> curve.xs().isEmpty());
  }

  void draw(Markup page, LinePlot.Size size, String style) {
    double[] values = all(curves.stream().flatMap(curve -> curve.ys().stream()));
    double[] places = all(curves.stream().flatMap(curve -> curve.xs().stream()));
    double low = values[0];
    double high = values[values.length - 1];
    Scale y = low > 0 && high / low > 3 ? Scale.logarithmic(low, high) : Scale.around(low, high);
    Scale x = new Scale(0, Math.max(1, places[places.length - 1]), Scale.Kind.LINEAR);
    page.open(
        "svg",
        "class",
        style,
        "viewBox",
        "0 0 " + size.width + " " + size.height,
        "role",
        "img",
        "aria-label",
        caption);
    new PlotAxes(size, x, xName, y).draw(page);
    for (RunCurve curve : curves) {
      draw(page, size, curve, x, y);
    }
    page.close();
  }

  private static void draw(Markup page, LinePlot.Size size, RunCurve curve, Scale x, Scale y) {
    StringBuilder path = new StringBuilder();
    for (int i = 0; i < curve.xs().size(); i++) {
      double left = LinePlot.LEFT + (size.right() - LinePlot.LEFT) * x.position(curve.xs().get(i));
      double top = size.bottom() - (size.bottom() - LinePlot.TOP) * y.position(curve.ys().get(i));
      path.append(path.isEmpty() ? "M" : "L").append(LinePlot.number(left));
      path.append(' ').append(LinePlot.number(top));
      if (curve.xs().size() == 1) {
        page.empty(
            "circle",
            "class",
            RunComparison.styleOf(curve.run()),
            "cx",
            LinePlot.number(left),
            "cy",
            LinePlot.number(top),
            "r",
            "3.2");
      }
    }
    page.empty("path", "class", RunComparison.styleOf(curve.run()), "d", path.toString());
  }

  private static double[] all(Stream<Double> numbers) {
    return numbers.mapToDouble(Double::doubleValue).sorted().toArray();
  }
}
