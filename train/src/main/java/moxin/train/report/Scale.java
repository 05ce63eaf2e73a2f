package moxin.train.report;

import java.util.ArrayList;
import java.util.List;

/// An axis: values from `low` to `high` in equal steps, or in equal ratios.
record Scale(double low, double high, Kind kind) {

  enum Kind {
    LINEAR,
    LOGARITHMIC
  }

  /// From 0 to `high` and a little more.
  static Scale fromZero(double high) {
    return new Scale(0, high > 0 ? high * 1.06 : 1, Kind.LINEAR);
  }

  /// From `low` to `high` and a little more on both sides.
  static Scale around(double low, double high) {
    double room = high > low ? 0.06 * (high - low) : Math.max(0.5, 0.1 * Math.abs(high));
    return new Scale(low >= 0 ? Math.max(0, low - room) : low - room, high + room, Kind.LINEAR);
  }

  /// From `low` to `high`, both positive, by ratio.
  static Scale logarithmic(double low, double high) {
    return new Scale(low / 1.15, high * 1.15, Kind.LOGARITHMIC);
  }

  /// Where `value` lies: 0 at `low`, 1 at `high`.
  double position(double value) {
    if (kind == Kind.LINEAR) {
      return (value - low) / (high - low);
    }
    return value <= 0 ? 0 : (Math.log(value) - Math.log(low)) / (Math.log(high) - Math.log(low));
  }

  /// At most about `most` round values within the scale, in order.
  List<Double> ticks(int most) {
    return kind == Kind.LINEAR ? multiples(most) : powers(most);
  }

  private List<Double> multiples(int most) {
    double step = step(most);
    List<Double> ticks = new ArrayList<>();
    for (double i = Math.ceil(low / step); i * step <= high && ticks.size() <= most; i++) {
      ticks.add(i * step);
    }
    return ticks;
  }

  /// The smallest of 1, 2 and 5 times a power of ten that gives no more than `most` ticks.
  private double step(int most) {
    double rough = (high - low) / most;
    double power = Math.pow(10, Math.floor(Math.log10(rough)));
    for (double factor : new double[] {1, 2, 5}) {
      if (factor * power >= rough) {
        return factor * power;
      }
    }
    return 10 * power;
  }

  private List<Double> powers(int most) {
    double decades = Math.log10(high / low);
    int stride = (int) Math.max(1, Math.ceil(decades / most));
    double[] factors = factors(decades, most);
    List<Double> ticks = new ArrayList<>();
    for (int power = (int) Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
      for (double factor : factors) {
        double tick = factor * Math.pow(10, power);
        if (tick >= low && tick <= high && Math.floorMod(power, stride) == 0) {
          ticks.add(tick);
        }
      }
    }
    return ticks;
  }

  private static double[] factors(double decades, int most) {
    if (decades * 7 <= most + 1) {
      return new double[] {1, 1.5, 2, 3, 4, 5, 6, 8};
    }
    return decades * 3 <= most ? new double[] {1, 2, 5} : new double[] {1};
  }

  /// A tick as short as it can be told from its neighbours.
  String label(double tick, int most) {
    if (tick == 0) {
      return "0";
    }
    double size = Math.max(Math.abs(high), Math.abs(low));
    if (kind == Kind.LOGARITHMIC || size >= 1e15) {
      return tick >= 0.001 && tick < 1e4
          ? plain(tick, tick == Math.rint(tick) ? 1 : tick / 10)
          : scientific(tick);
    }
    if (size < 0.01) {
      int exponent = (int) Math.floor(Math.log10(size));
      double unit = Math.pow(10, exponent);
      return plain(tick / unit, step(most) / unit) + "e" + exponent;
    }
    if (size >= 1e6) {
      return plain(tick / 1e6, step(most) / 1e6) + "M";
    }
    if (size >= 1e4) {
      return plain(tick / 1e3, step(most) / 1e3) + "k";
    }
    return plain(tick, step(most));
  }

  private static String scientific(double value) {
    String text = Figures.format("%.1e", value);
    return text.replaceFirst("\\.0e", "e").replaceFirst("e\\+?(-?)0*([0-9])", "e$1$2");
  }

  private static String plain(double value, double step) {
    int digits = (int) Math.max(0, Math.min(9, -Math.floor(Math.log10(step) + 1e-9)));
    return Figures.format("%." + digits + "f", value);
  }
}
