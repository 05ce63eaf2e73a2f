package moxin.infer.constraint;

import java.util.Arrays;

/// Puts all byte strings between two of the same length, in lexicographic order, into an automaton.
/// Digits of numbers and UTF-8 sequences both are such ranges.
final class SequenceRange {
  private final Nfa nfa;
  private final int to;

  /// What bytes after the first may be.
  private final int least;

  private final int most;

  /// States from which exactly `i + 1` free bytes lead to `to`; shared, to keep automata small.
  private final int[] tails;

  private SequenceRange(Nfa nfa, int to, int least, int most, int length) {
    this.nfa = nfa;
    this.to = to;
    this.least = least;
    this.most = most;
    this.tails = new int[length];
    for (int i = 0, after = to; i < length - 1; i++) {
      tails[i] = nfa.newState();
      nfa.bytes(tails[i], least, most, after);
      after = tails[i];
    }
  }

  /// A range of UTF-8 sequences of the same length.
  static void utf8(Nfa nfa, int from, byte[] first, byte[] last, int to) {
    new SequenceRange(nfa, to, 0x80, 0xBF, first.length).append(from, first, last, 0);
  }

  /// A range of decimal numbers with the same number of digits.
  static void digits(Nfa nfa, int from, byte[] first, byte[] last, int to) {
    new SequenceRange(nfa, to, '0', '9', first.length).append(from, first, last, 0);
  }

  private void append(int from, byte[] first, byte[] last, int at) {
    int low = first[at] & 0xFF;
    int high = last[at] & 0xFF;
    int left = first.length - at - 1;
    if (left == 0) {
      nfa.bytes(from, low, high, to);
      return;
    }
    if (low == high) {
      int next = nfa.newState();
      nfa.bytes(from, low, low, next);
      append(next, first, last, at + 1);
      return;
    }
    if (!isAll(first, at + 1, least)) {
      byte[] end = first.clone();
      Arrays.fill(end, at + 1, end.length, (byte) most);
      int next = nfa.newState();
      nfa.bytes(from, low, low, next);
      append(next, first, end, at + 1);
      low++;
    }
    if (!isAll(last, at + 1, most)) {
      byte[] start = last.clone();
      Arrays.fill(start, at + 1, start.length, (byte) least);
      int next = nfa.newState();
      nfa.bytes(from, high, high, next);
      append(next, start, last, at + 1);
      high--;
    }
    if (low <= high) {
      nfa.bytes(from, low, high, tails[left - 1]);
    }
  }

  private static boolean isAll(byte[] bytes, int from, int value) {
    for (int i = from; i < bytes.length; i++) {
      if ((bytes[i] & 0xFF) != value) {
        return false;
      }
    }
    return true;
  }
}
