package moxin.text.sentencepiece;

import java.util.Arrays;

/// Merges symbols, best rank first and then leftmost, as `bpe_model.cc` does. Mutable, for one
/// thread; its arrays are kept for the next segment.
final class SymbolMerger {
  private static final int SCAN_LIMIT = 40;
  private static final int KEPT = 1 << 16;

  private final MergeTable table;
  private int[] symbols = new int[256];
  private int[] next = new int[256];
  private int[] previous = new int[256];
  private int[] best = new int[256];
  private long[] heap = new long[256];
  private int heapSize;
  private int size;
  private final int[] unusedLeft;
  private final int[] unusedRight;

  SymbolMerger(MergeTable table) {
    this.table = table;
    unusedLeft = new int[table.hasUnused() ? table.vocabSize() : 0];
    unusedRight = new int[unusedLeft.length];
  }

  void begin() {
    size = 0;
    Arrays.fill(unusedLeft, -1);
    if (symbols.length > KEPT) {
      symbols = new int[256];
      next = new int[256];
      previous = new int[256];
      heap = new long[256];
    }
  }

  void add(int symbol) {
    if (size == symbols.length) {
      symbols = Arrays.copyOf(symbols, (int) Math.min(size * 2L, Integer.MAX_VALUE - 8));
    }
    symbols[size++] = symbol;
  }

  /// Merges what was added and appends the ids.
  void finish(IntList out) {
    if (size <= SCAN_LIMIT && !table.hasUnused()) {
      scan();
      for (int i = 0; i < size; i++) {
        table.emit(symbols[i], out);
      }
    } else {
      finishByHeap(out);
    }
  }

  void finishByHeap(IntList out) {
    mergeByHeap();
    for (int i = 0; i >= 0; i = next[i]) {
      emit(symbols[i], out);
    }
  }

  /// For short segments: look at all pairs for each merge.
  private void scan() {
    for (int i = 0; i + 1 < size; i++) {
      best[i] = table.merged(symbols[i], symbols[i + 1]);
    }
    while (true) {
      int at = -1;
      int lowest = Integer.MAX_VALUE;
      for (int i = 0; i + 1 < size; i++) {
        int candidate = best[i];
        if (candidate >= 0 && table.rank(candidate) < lowest) {
          lowest = table.rank(candidate);
          at = i;
        }
      }
      if (at < 0) {
        return;
      }
      symbols[at] = best[at];
      size--;
      for (int i = at + 1; i < size; i++) {
        symbols[i] = symbols[i + 1];
        best[i] = best[i + 1];
      }
      if (at > 0) {
        best[at - 1] = table.merged(symbols[at - 1], symbols[at]);
      }
      if (at + 1 < size) {
        best[at] = table.merged(symbols[at], symbols[at + 1]);
      }
    }
  }

  /// For long segments: a linked list and a heap of (rank, left position); entries that no longer
  /// hold are recognised by the rank their pair has now.
  private void mergeByHeap() {
    next = fit(next, size);
    previous = fit(previous, size);
    heapSize = 0;
    for (int i = 0; i < size; i++) {
      next[i] = i + 1 < size ? i + 1 : -1;
      previous[i] = i - 1;
    }
    for (int i = 0; i + 1 < size; i++) {
      offer(i, i + 1);
    }
    while (heapSize > 0) {
      long top = poll();
      int left = (int) top;
      int right = next[left];
      if (right < 0 || symbols[left] == Integer.MIN_VALUE) {
        continue;
      }
      int merged = table.merged(symbols[left], symbols[right]);
      if (merged < 0 || table.rank(merged) != (int) (top >>> 32)) {
        continue;
      }
      symbols[left] = merged;
      symbols[right] = Integer.MIN_VALUE;
      int after = next[right];
      next[left] = after;
      if (after >= 0) {
        previous[after] = left;
        offer(left, after);
      }
      if (previous[left] >= 0) {
        offer(previous[left], left);
      }
    }
  }

  private void offer(int left, int right) {
    int merged = table.merged(symbols[left], symbols[right]);
    if (merged < 0) {
      return;
    }
    if (table.isUnused(merged)) {
      unusedLeft[merged] = symbols[left];
      unusedRight[merged] = symbols[right];
    }
    push(((long) table.rank(merged) << 32) | left);
  }

  private void emit(int symbol, IntList out) {
    // A character that is itself an unused piece was never put together.
    if (table.isUnused(symbol) && unusedLeft[symbol] >= 0) {
      emit(unusedLeft[symbol], out);
      emit(unusedRight[symbol], out);
    } else {
      table.emit(symbol, out);
    }
  }

  private void push(long value) {
    if (heapSize == heap.length) {
      heap = Arrays.copyOf(heap, (int) Math.min(heapSize * 2L, Integer.MAX_VALUE - 8));
    }
    int at = heapSize++;
    while (at > 0) {
      int parent = (at - 1) >> 2;
      if (heap[parent] <= value) {
        break;
      }
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = value;
  }

  private long poll() {
    long top = heap[0];
    long value = heap[--heapSize];
    int at = 0;
    while (true) {
      int child = 4 * at + 1;
      if (child >= heapSize) {
        break;
      }
      int smallest = child;
      int end = Math.min(child + 4, heapSize);
      for (int i = child + 1; i < end; i++) {
        if (heap[i] < heap[smallest]) {
          smallest = i;
        }
      }
      if (heap[smallest] >= value) {
        break;
      }
      heap[at] = heap[smallest];
      at = smallest;
    }
    heap[at] = value;
    return top;
  }

  private static int[] fit(int[] array, int size) {
    return array.length >= size ? array : new int[size];
  }
}
