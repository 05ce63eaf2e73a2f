package moxin.infer.constraint;

import java.util.Arrays;

/// A set of Unicode scalar values: code points without surrogates. Immutable.
final class CodePoints {
  private static final int MAX = Character.MAX_CODE_POINT;

  static final CodePoints NONE = new CodePoints(new int[0]);

  /// Every scalar value.
  static final CodePoints ALL = new CodePoints(new int[] {0, 0xD7FF, 0xE000, MAX});

  /// First and last of each range, ascending, disjoint, with gaps between.
  private final int[] bounds;

  private CodePoints(int[] bounds) {
    this.bounds = bounds;
  }

  static CodePoints of(int codePoint) {
    return range(codePoint, codePoint);
  }

  /// From `first` to `last`, both included, without surrogates.
  static CodePoints range(int first, int last) {
    return new CodePoints(new int[] {first, last}).and(ALL);
  }

  /// The characters of `text`.
  static CodePoints anyOf(String text) {
    return text.codePoints().mapToObj(CodePoints::of).reduce(NONE, CodePoints::or);
  }

  CodePoints or(CodePoints other) {
    return isEmpty() ? other : not().and(other.not()).not();
  }

  CodePoints and(CodePoints other) {
    int[] result = new int[bounds.length + other.bounds.length];
    int size = 0;
    int i = 0;
    int j = 0;
    while (i < bounds.length && j < other.bounds.length) {
      int first = Math.max(bounds[i], other.bounds[j]);
      int last = Math.min(bounds[i + 1], other.bounds[j + 1]);
      if (first <= last) {
        result[size++] = first;
        result[size++] = last;
      }
      if (bounds[i + 1] < other.bounds[j + 1]) {
        i += 2;
      } else {
        j += 2;
      }
    }
    return new CodePoints(Arrays.copyOf(result, size));
  }

  CodePoints minus(CodePoints other) {
    return and(other.not());
  }

  /// Every scalar value that is not here.
  CodePoints not() {
    int[] gaps = new int[bounds.length + 2];
    int size = 0;
    int next = 0;
    for (int i = 0; i < bounds.length; i += 2) {
      if (next < bounds[i]) {
        gaps[size++] = next;
        gaps[size++] = bounds[i] - 1;
      }
      next = bounds[i + 1] + 1;
    }
    if (next <= MAX) {
      gaps[size++] = next;
      gaps[size++] = MAX;
    }
    return new CodePoints(Arrays.copyOf(gaps, size)).and(ALL);
  }

  boolean contains(int codePoint) {
    for (int i = 0; i < bounds.length; i += 2) {
      if (codePoint >= bounds[i] && codePoint <= bounds[i + 1]) {
        return true;
      }
    }
    return false;
  }

  boolean isEmpty() {
    return bounds.length == 0;
  }

  int rangeCount() {
    return bounds.length / 2;
  }

  int first(int range) {
    return bounds[2 * range];
  }

  int last(int range) {
    return bounds[2 * range + 1];
  }
}
