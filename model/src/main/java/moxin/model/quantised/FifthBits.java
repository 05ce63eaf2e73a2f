package moxin.model.quantised;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// The word of Q5_0 and Q5_1 whose bit i is the fifth bit of element i.
final class FifthBits {
  static final ValueLayout.OfInt LAYOUT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private FifthBits() {}

  /// The word of 32 elements.
  static int word(int[] levels) {
    int word = 0;
    for (int i = 0; i < levels.length; i++) {
      word |= ((levels[i] >> 4) & 1) << i;
    }
    return word;
  }

  /// What element `i` has of it: 16 or 0.
  static int of(int word, int i) {
    return ((word >>> i) & 1) << 4;
  }
}
