package moxin.train.report;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/// Numbers as people read them, the same in every locale.
final class Figures {
  private static final DateTimeFormatter MINUTE =
      DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm 'UTC'", Locale.ROOT).withZone(ZoneOffset.UTC);
  private static final String[] COUNT_UNITS = {"", " k", " M", " B", " T"};
  private static final String[] BYTE_UNITS = {" bytes", " kB", " MB", " GB", " TB"};

  private Figures() {}

  // The annotation that would check its callers is no dependency of this module.
  @SuppressWarnings("AnnotateFormatMethod")
  static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }

  /// All digits: `30,552,832`.
  static String exact(long count) {
    return format("%,d", count);
  }

  /// Three digits: `30.6 M`.
  static String compact(double count) {
    return scaled(count, COUNT_UNITS);
  }

  static String compact(long count) {
    return scaled((double) count, COUNT_UNITS);
  }

  static String bytes(long bytes) {
    return bytes == 1 ? "1 byte" : scaled((double) bytes, BYTE_UNITS);
  }

  /// `11 min 4 s`.
  static String duration(double seconds) {
    long whole = Math.round(seconds);
    if (seconds < 10) {
      return format("%.1f s", seconds);
    }
    if (whole < 60) {
      return whole + " s";
    }
    if (whole < 3600) {
      return whole / 60 + " min " + whole % 60 + " s";
    }
    long minutes = Math.round(seconds / 60);
    if (minutes < 48 * 60) {
      return minutes / 60 + " h " + minutes % 60 + " min";
    }
    long hours = Math.round(seconds / 3600);
    return hours / 24 + " d " + hours % 24 + " h";
  }

  /// About four digits, such as a loss or a score: `2.314`.
  static String value(double value) {
    double size = Math.abs(value);
    if (size >= 1e6 || (size < 1e-3 && size > 0)) {
      return format("%.3e", value);
    }
    if (size >= 100) {
      return format("%,.1f", value);
    }
    return size >= 10 ? format("%.2f", value) : format("%.4f", value);
  }

  static String percent(double share) {
    return format("%.1f %%", 100 * share);
  }

  /// A time in seconds since 1970, to the minute; what is no such time stays away.
  static String minute(double time) {
    boolean known = time >= 0 && time < 253_402_300_800.0;
    return known ? MINUTE.format(Instant.ofEpochMilli((long) (time * 1e3))) : "unknown";
  }

  /// At most `length` characters, with an ellipsis where something is missing.
  static String shortened(String text, int length) {
    if (text.length() <= length) {
      return text;
    }
    int end = Character.isHighSurrogate(text.charAt(length - 2)) ? length - 2 : length - 1;
    return text.substring(0, end) + "…";
  }

  private static String scaled(double amount, String[] units) {
    double rest = amount;
    int unit = 0;
    while (Math.abs(rest) >= 999.5 && unit < units.length - 1) {
      rest /= 1000;
      unit++;
    }
    if (unit == 0 && rest == Math.rint(rest)) {
      return format("%.0f", rest) + units[0];
    }
    int digits = Math.abs(rest) >= 99.95 ? 0 : Math.abs(rest) >= 9.995 ? 1 : 2;
    return format("%." + digits + "f", rest) + units[unit];
  }
}
