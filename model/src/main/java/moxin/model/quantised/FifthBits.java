package moxin.model.quantised;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// The word of Q5_0 and Q5_1 whose bit i is the fifth bit of element i.
final class FifthBits {
  static final ValueLayout.OfInt LAYOUT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private FifthBits() {}

  /// What element `i` has of it: 16 or 0.
  static int of(int word, int i) {
    return ((word >>> i) & 1) << 4;
  }
}
