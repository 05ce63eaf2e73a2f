package moxin.infer.constraint;

import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/// Bytes that no edge of some automata tells apart, numbered from 0 in ascending order. Immutable.
final class ByteClasses {
  private final byte[] classes = new byte[256];
  private final int[] firsts;

  private ByteClasses(BitSet starts) {
    firsts = starts.stream().toArray();
    for (int b = 0, c = -1; b < 256; b++) {
      c += starts.get(b) ? 1 : 0;
      classes[b] = (byte) c;
    }
  }

  static ByteClasses of(List<Nfa> automata) {
    BitSet starts = new BitSet(257);
    starts.set(0);
    for (Nfa nfa : automata) {
      for (int edge = 0; edge < nfa.edgeCount(); edge++) {
        if (nfa.kind(edge) == Nfa.BYTES) {
          starts.set(nfa.low(edge));
          starts.set(nfa.high(edge) + 1);
        }
      }
    }
    starts.clear(256);
    return new ByteClasses(starts);
  }

  int count() {
    return firsts.length;
  }

  /// The class of byte `b` in `[0, 256)`.
  int of(int b) {
    return classes[b] & 0xFF;
  }

  /// The first byte of class `c`.
  int first(int c) {
    return firsts[c];
  }

  /// The last byte of class `c`.
  int last(int c) {
    return c + 1 < firsts.length ? firsts[c + 1] - 1 : 255;
  }

  /// A copy of the table from byte to class.
  byte[] table() {
    return Arrays.copyOf(classes, classes.length);
  }
}
