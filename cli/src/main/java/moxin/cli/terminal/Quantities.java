package moxin.cli.terminal;

import java.util.Locale;

/// Counts, rates and durations as people read them.
public final class Quantities {

  private Quantities() {}

  /// `count` units, such as `1.2 M tokens` or `53 MB`.
  public static String count(double count, String unit) {
    return unit.equals("bytes") ? bytes(count) : scaled(count) + (unit.isEmpty() ? "" : " " + unit);
  }

  /// A rate, such as `8.1 k tokens/s`.
  public static String rate(double perSecond, String unit) {
    return count(perSecond, unit) + "/s";
  }

  /// A size in decimal units, such as `16 GB`.
  public static String bytes(double bytes) {
    return scaled(bytes).replaceFirst("^([0-9.]+)$", "$1 ").replace("k", "k") + "B";
  }

  /// A duration, such as `0.8 s`, `42 s`, `3 min 5 s` or `2 h 10 min`.
  public static String duration(double seconds) {
    if (seconds < 10) {
      return String.format(Locale.ROOT, "%.1f s", seconds);
    }
    long whole = Math.round(seconds);
    if (whole < 60) {
      return whole + " s";
    }
    if (whole < 3600) {
      return whole / 60 + " min " + whole % 60 + " s";
    }
    return whole / 3600 + " h " + whole % 3600 / 60 + " min";
  }

  private static String scaled(double value) {
    String[] suffixes = {"", " k", " M", " G", " T"};
    int power = 0;
    double scaled = value;
    while (scaled >= 999.5 && power < suffixes.length - 1) {
      scaled /= 1000;
      power++;
    }
    boolean whole = power == 0 && scaled == Math.rint(scaled);
    String digits =
        whole || scaled >= 99.95
            ? String.format(Locale.ROOT, "%.0f", scaled)
            : String.format(Locale.ROOT, scaled >= 9.995 ? "%.1f" : "%.2f", scaled);
    return digits + suffixes[power];
  }
}
