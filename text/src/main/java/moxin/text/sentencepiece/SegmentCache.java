package moxin.text.sentencepiece;

import java.util.Arrays;

/// Remembers the ids of segments of text, exactly: a hash table over primitive arrays of bounded
/// size that is emptied when it is full. Mutable; for one thread.
final class SegmentCache {
  /// Longer segments are not remembered.
  static final int MAX_CHARS = 64;

  private static final int MAX_ENTRIES = 1 << 16;
  private static final int MAX_CHARS_HELD = MAX_ENTRIES * 10;

  private long[] slots = new long[1 << 11];
  private int[] keyEnds = new int[1 << 10];
  private int[] idEnds = new int[1 << 10];
  private char[] keys = new char[1 << 13];
  private int[] ids = new int[1 << 12];
  private int entries;

  /// Appends the ids of the segment and returns true, or returns false if it is not known.
  boolean append(char[] text, int from, int to, int hash, IntList out) {
    int mask = slots.length - 1;
    for (int slot = hash & mask; ; slot = (slot + 1) & mask) {
      long found = slots[slot];
      if (found == 0) {
        return false;
      }
      int entry = (int) found;
      if ((int) (found >>> 32) == hash && hasKey(entry, text, from, to)) {
        int start = entry == 1 ? 0 : idEnds[entry - 1];
        out.addAll(ids, start, idEnds[entry] - start);
        return true;
      }
    }
  }

  /// Remembers a segment that [#append] did not find, with the ids of `from` from `idStart` on.
  void put(char[] text, int from, int to, int hash, IntList list, int idStart) {
    int length = to - from;
    int idCount = list.size() - idStart;
    if (entries + 1 >= MAX_ENTRIES || keyEnd() + length > MAX_CHARS_HELD) {
      Arrays.fill(slots, 0);
      entries = 0;
    }
    reserve(length, idCount);
    int keyStart = keyEnd();
    int start = entries == 0 ? 0 : idEnds[entries];
    entries++;
    System.arraycopy(text, from, keys, keyStart, length);
    for (int i = 0; i < idCount; i++) {
      ids[start + i] = list.get(idStart + i);
    }
    keyEnds[entries] = keyStart + length;
    idEnds[entries] = start + idCount;
    insert(((long) hash << 32) | entries);
  }

  private int keyEnd() {
    return entries == 0 ? 0 : keyEnds[entries];
  }

  private void insert(long slotValue) {
    int mask = slots.length - 1;
    int slot = (int) (slotValue >>> 32) & mask;
    while (slots[slot] != 0) {
      slot = (slot + 1) & mask;
    }
    slots[slot] = slotValue;
  }

  private boolean hasKey(int entry, char[] text, int from, int to) {
    int start = entry == 1 ? 0 : keyEnds[entry - 1];
    int length = to - from;
    if (keyEnds[entry] - start != length) {
      return false;
    }
    for (int i = 0; i < length; i++) {
      if (keys[start + i] != text[from + i]) {
        return false;
      }
    }
    return true;
  }

  private void reserve(int chars, int idCount) {
    if (entries + 2 > keyEnds.length) {
      keyEnds = Arrays.copyOf(keyEnds, keyEnds.length * 2);
      idEnds = Arrays.copyOf(idEnds, idEnds.length * 2);
    }
    if (keyEnd() + chars > keys.length) {
      keys = Arrays.copyOf(keys, keys.length * 2);
    }
    int idEnd = entries == 0 ? 0 : idEnds[entries];
    if (idEnd + idCount > ids.length) {
      ids = Arrays.copyOf(ids, Math.max(ids.length * 2, idEnd + idCount));
    }
    if (entries * 2 >= slots.length) {
      long[] old = slots;
      slots = new long[old.length * 4];
      for (long value : old) {
        if (value != 0) {
          insert(value);
        }
      }
    }
  }
}
