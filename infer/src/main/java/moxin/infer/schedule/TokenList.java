package moxin.infer.schedule;

import java.util.Arrays;

/// A growing list of token ids.
final class TokenList {
  private int[] ids;
  private int size;

  TokenList(int[] first) {
    this.ids = Arrays.copyOf(first, first.length + 16);
    this.size = first.length;
  }

  int size() {
    return size;
  }

  int get(int index) {
    assert index < size;
    return ids[index];
  }

  void add(int id) {
    if (size == ids.length) {
      ids = Arrays.copyOf(ids, Math.addExact(size, Math.max(16, size / 2)));
    }
    ids[size++] = id;
  }

  int[] slice(int from, int to) {
    assert from >= 0 && to <= size;
    return Arrays.copyOfRange(ids, from, to);
  }
}
