package moxin.infer;

import java.util.List;

/// Holds back text that may be the beginning of a stop string. Mutable; for one thread.
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
    int end = stops.stream().mapToInt(all::indexOf).filter(at -> at >= 0).min().orElse(-1);
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

  /// The length of the longest end of `text` that begins a stop string.
  private int possible(String text) {
    int longest = 0;
    for (String stop : stops) {
      for (int n = Math.min(stop.length() - 1, text.length()); n > longest; n--) {
        if (stop.startsWith(text.substring(text.length() - n))) {
          longest = n;
        }
      }
    }
    return longest;
  }
}
