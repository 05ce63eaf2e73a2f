package moxin.infer;

import java.util.List;

/// Holds back text that may be the beginning of a stop string. Mutable; for one thread.
///
/// The stop string that is whole first ends the text, the longest of several that are whole at the
/// same character. So the result does not depend on how the text is cut into pieces.
final class StopStrings {
  private final List<String> stops;
  private String held = "";
  private boolean stopped;

  StopStrings(List<String> stops) {
    this.stops = List.copyOf(stops);
  }

  /// Takes more text and returns what is certain to come before any stop string.
  String next(String text) {
    if (stopped) {
      return "";
    }
    String all = held + text;
    int end = start(all);
    stopped = end >= 0;
    int certain = stopped ? end : all.length() - possible(all);
    held = stopped ? "" : all.substring(certain);
    return all.substring(0, certain);
  }

  /// Returns what was held back.
  String finish() {
    String rest = held;
    held = "";
    return rest;
  }

  /// Whether a stop string has appeared.
  boolean stopped() {
    return stopped;
  }

  /// Where the first whole stop string begins, or −1.
  private int start(String text) {
    int start = -1;
    int firstEnd = Integer.MAX_VALUE;
    for (String stop : stops) {
      int at = text.indexOf(stop);
      int end = at + stop.length();
      if (at >= 0 && (end < firstEnd || (end == firstEnd && at < start))) {
        start = at;
        firstEnd = end;
      }
    }
    return start;
  }

  /// The length of the longest end of `text` that begins a stop string.
  private int possible(String text) {
    int longest = 0;
    for (String stop : stops) {
      for (int n = Math.min(stop.length() - 1, text.length()); n > longest; n--) {
        if (text.regionMatches(text.length() - n, stop, 0, n)) {
          longest = n;
        }
      }
    }
    return longest;
  }
}
