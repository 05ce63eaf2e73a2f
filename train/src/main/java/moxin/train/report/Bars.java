package moxin.train.report;

/// Horizontal bars with their names before and their numbers behind them.
final class Bars {
  private Bars() {}

  static void open(Markup page) {
    page.open("div", "class", "bars");
  }

  /// A bar that fills `share` of the width.
  static void add(Markup page, String style, String name, double share, String value) {
    double width = share > 0 ? Math.max(0.4, Math.min(1, share) * 100) : 0;
    page.leaf("span", name, "class", "name");
    page.open("span", "class", "track");
    page.leaf("span", "", "class", style, "style", Figures.format("width:%.1f%%", width));
    page.close();
    page.leaf("span", value, "class", "value");
  }
}
