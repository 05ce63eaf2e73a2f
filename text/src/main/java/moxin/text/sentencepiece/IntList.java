package moxin.text.sentencepiece;

import java.util.Arrays;

/// A growing list of ints without boxing.
final class IntList {
  private int[] values;
  private int size;

  IntList(int capacity) {
    values = new int[Math.max(16, capacity)];
  }

  void add(int value) {
    if (size == values.length) {
      grow(1);
    }
    values[size++] = value;
  }

  void addAll(int[] from, int start, int length) {
    if (values.length - size < length) {
      grow(length);
    }
    for (int i = 0; i < length; i++) {
      values[size + i] = from[start + i];
    }
    size += length;
  }

  int size() {
    return size;
  }

  int get(int index) {
    return values[index];
  }

  void clear() {
    values = new int[16];
    size = 0;
  }

  /// Replaces each run of `value` by one.
  void collapseRuns(int value) {
    int kept = 0;
    for (int i = 0; i < size; i++) {
      if (values[i] != value || kept == 0 || values[kept - 1] != value) {
        values[kept++] = values[i];
      }
    }
    size = kept;
  }

  int[] toArray() {
    return Arrays.copyOf(values, size);
  }

  private void grow(int more) {
    long wanted = Math.max((long) size + more, size + (size >> 1) + 16L);
    values = Arrays.copyOf(values, (int) Math.min(wanted, Integer.MAX_VALUE - 8));
  }
}
