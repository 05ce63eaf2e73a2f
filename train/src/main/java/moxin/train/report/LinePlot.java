package moxin.train.report;

import java.util.List;
import java.util.Optional;
import java.util.function.DoubleFunction;
import java.util.stream.IntStream;

/// A curve over the steps of a run, drawn as SVG: phases as bands, the curve with the range of what
/// each point stands for, single measurements as dots, a level as a dashed line. Pointing at a
/// place shows its numbers, by SVG's own titles.
///
/// @param id tells this plot from others of the page
/// @param caption what is drawn, for those who do not see it
/// @param dots measurements at single steps
/// @param marks what happened at single steps, shown over the curve
/// @param level a value to compare with, with its name
/// @param shown a value in words
record LinePlot(
    String id,
    String caption,
    List<PhaseSpan> phases,
    Curve curve,
    List<Dot> dots,
    List<Mark> marks,
    Optional<Level> level,
    Scale scale,
    DoubleFunction<String> shown) {

  static final int LEFT = 50;
  private static final int RIGHT = 20;
  static final int TOP = 24;
  private static final int BOTTOM = 42;
  private static final int MOST_TIPS = 120;
  private static final double CHARACTER = 7.2;

  /// A measurement at a step.
  ///
  /// @param what was measured
  record Dot(long step, double value, String what) {}

  /// At most about `most` of `dots`, evenly chosen, the last among them.
  static List<Dot> thinned(List<Dot> dots, int most) {
    int stride = Math.max(1, Math.ceilDiv(dots.size(), most));
    return IntStream.range(0, dots.size())
        .filter(i -> i % stride == (dots.size() - 1) % stride)
        .mapToObj(dots::get)
        .toList();
  }

  /// A named value.
  record Level(String name, double value) {}

  /// The size of a drawing in its own units, which are pixels where it is not scaled.
  enum Size {
    WIDE(900, 330, 9, 6),
    NARROW(380, 280, 4, 5),
    SMALL(380, 230, 4, 4);

    final int width;
    final int height;
    final int columns;
    final int rows;

    Size(int width, int height, int columns, int rows) {
      this.width = width;
      this.height = height;
      this.columns = columns;
      this.rows = rows;
    }

    int right() {
      return width - RIGHT;
    }

    int bottom() {
      return height - BOTTOM;
    }
  }

  /// Writes the drawing as an `svg` element of class `style`.
  void draw(Markup page, Size size, String style) {
    String clip = id + "-" + size.width;
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
    page.open("clipPath", "id", clip);
    page.empty("rect", rectangle(LEFT, TOP - 4, size.right() - LEFT, size.bottom() - TOP + 8));
    page.close();
    bands(page, size);
    new PlotAxes(size, new Scale(0, lastStep(), Scale.Kind.LINEAR), "step", scale).draw(page);
    page.open("g", "clip-path", "url(#" + clip + ")");
    level.ifPresent(found -> level(page, size, found));
    curve(page, size);
    page.close();
    tips(page, size);
    dots(page, size);
    marks(page, size);
    page.close();
  }

  /// A triangle under the upper edge at each mark, pointing down.
  private void marks(Markup page, Size size) {
    for (Mark mark : marks) {
      double x = x(size, Math.min((double) mark.step(), lastStep()));
      page.open("g", "class", "mark");
      page.leaf("title", mark.words());
      page.empty("path", "class", "drop", "d", line(x, TOP + 9, x, size.bottom()));
      String path =
          "M"
              + number(x - 5)
              + " "
              + number(TOP)
              + "h10L"
              + number(x)
              + " "
              + number(TOP + 9)
              + "Z";
      page.empty("path", "class", "head", "d", path);
      page.close();
    }
  }

  private void bands(Markup page, Size size) {
    for (int i = 0; i < phases.size(); i++) {
      PhaseSpan phase = phases.get(i);
      double left = x(size, phase.first() - 1);
      double right = x(size, phase.last());
      page.open("g", "class", i % 2 == 0 ? "band even" : "band odd");
      page.empty("rect", rectangle(left, TOP, right - left, size.bottom() - TOP));
      String label = phases.size() == 1 ? "" : labelFor(i, right - left);
      page.leaf(
          "text",
          label,
          "class",
          "phase",
          "x",
          number((left + right) / 2),
          "y",
          number(TOP - 8),
          "text-anchor",
          "middle");
      page.close();
    }
  }

  /// The phase's name where there is room for it, or else its number, as in the table.
  private String labelFor(int phase, double room) {
    String name = (phase + 1) + " " + phases.get(phase).name();
    if (name.length() * CHARACTER < room) {
      return name;
    }
    String shortName = Integer.toString(phase + 1);
    return shortName.length() * CHARACTER < room ? shortName : "";
  }

  private void level(Markup page, Size size, Level found) {
    double y = y(size, found.value());
    page.empty("path", "class", "level", "d", line(LEFT, y, size.right(), y));
    page.leaf(
        "text",
        found.name(),
        "x",
        number(size.right() - 4),
        "y",
        number(y - 5),
        "text-anchor",
        "end");
  }

  private void curve(Markup page, Size size) {
    if (curve.isEmpty()) {
      return;
    }
    if (curve.isThinned()) {
      StringBuilder upper = new StringBuilder();
      StringBuilder lower = new StringBuilder();
      for (Curve.Point point : curve.points()) {
        String x = number(x(size, point.step()));
        upper.append(upper.isEmpty() ? "M" : "L").append(x).append(' ');
        upper.append(number(y(size, point.high())));
        lower.insert(0, "L" + x + " " + number(y(size, point.low())));
      }
      page.empty("path", "class", "range", "d", upper.append(lower).append('Z').toString());
    }
    StringBuilder path = new StringBuilder();
    for (Curve.Point point : curve.points()) {
      path.append(path.isEmpty() ? "M" : "L").append(number(x(size, point.step())));
      path.append(' ').append(number(y(size, point.mean())));
    }
    page.empty("path", "class", "curve", "d", path.toString());
    if (curve.points().size() == 1) {
      Curve.Point only = curve.points().getFirst();
      circle(page, "curve", x(size, only.step()), y(size, only.mean()), "");
    }
  }

  private void tips(Markup page, Size size) {
    List<Curve.Point> points = curve.points();
    int stride = Math.max(1, Math.ceilDiv(points.size(), MOST_TIPS));
    for (int i = 0; i < points.size(); i += stride) {
      Curve.Point first = points.get(i);
      Curve.Point last = points.get(Math.min(points.size(), i + stride) - 1);
      double left = x(size, first.first() - 1);
      page.open("g", "class", "tip");
      page.leaf("title", tip(first));
      page.empty("rect", rectangle(left, TOP, x(size, last.last()) - left, size.bottom() - TOP));
      page.close();
    }
  }

  private String tip(Curve.Point point) {
    String phase = phases.size() == 1 ? "" : ", " + phases.get(point.phase()).name();
    String steps =
        point.first() == point.last()
            ? "step " + point.first()
            : "steps " + point.first() + "–" + point.last();
    String range =
        point.high() > point.low()
            ? " (" + shown.apply(point.low()) + " to " + shown.apply(point.high()) + ")"
            : "";
    return steps + phase + ": " + shown.apply(point.mean()) + range;
  }

  private void dots(Markup page, Size size) {
    if (dots.isEmpty()) {
      return;
    }
    StringBuilder path = new StringBuilder();
    for (Dot dot : dots) {
      path.append(path.isEmpty() ? "M" : "L").append(number(x(size, dot.step())));
      path.append(' ').append(number(y(size, dot.value())));
    }
    page.empty("path", "class", "heldout", "d", path.toString());
    for (Dot dot : dots) {
      String tip = "step " + dot.step() + ", " + dot.what() + ": " + shown.apply(dot.value());
      circle(page, "heldout", x(size, dot.step()), y(size, dot.value()), tip);
    }
  }

  private static void circle(Markup page, String style, double x, double y, String tip) {
    page.open("circle", "class", style, "cx", number(x), "cy", number(y), "r", "3.2");
    page.leaf("title", tip).close();
  }

  private double lastStep() {
    return phases.isEmpty() ? 1 : Math.max(1, phases.getLast().last());
  }

  private double x(Size size, long step) {
    return x(size, (double) step);
  }

  private double x(Size size, double step) {
    return LEFT + (size.right() - LEFT) * step / lastStep();
  }

  private double y(Size size, double value) {
    return size.bottom() - (size.bottom() - TOP) * scale.position(value);
  }

  static String line(double x1, double y1, double x2, double y2) {
    return "M" + number(x1) + " " + number(y1) + "L" + number(x2) + " " + number(y2);
  }

  static String[] rectangle(double x, double y, double width, double height) {
    return new String[] {
      "x", number(x), "y", number(y), "width", number(width), "height", number(height)
    };
  }

  static String number(double value) {
    String text = Figures.format("%.1f", Math.max(-1e5, Math.min(1e5, value)));
    return text.endsWith(".0") ? text.substring(0, text.length() - 2) : text;
  }
}
