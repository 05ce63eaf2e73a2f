package moxin.train.transformer;

import moxin.job.SplitMix64;

/// Random bits that are a function of seed, step and element, so that they are the same whoever
/// asks for them, in whatever order.
///
/// 32 bits of an element whose number is x in its low half are x mixed by two rounds of
/// multiplication and shifts (constants of Wellons' `lowbias32`), with a key before each.
///
/// @param first key before the first round
/// @param second key before the second
record RoundingBits(int first, int second) {
  static final int FIRST_FACTOR = 0x7feb352d;
  static final int SECOND_FACTOR = 0x846ca68b;

  /// What the bits are for.
  enum Use {
    /// The low half for first moments, the high one for second moments.
    MOMENTS(0),
    WEIGHTS(1);

    private final int number;

    Use(int number) {
      this.number = number;
    }
  }

  /// Elements per key.
  private static final int PAGE = 32;

  /// The bits of elements with the same upper half of their numbers as `index`.
  static RoundingBits of(long seed, long step, Use use, long index) {
    long key = mix(mix(mix(seed) + step) + 2 * (index >>> PAGE) + use.number);
    return new RoundingBits((int) (key >>> Integer.SIZE), (int) key);
  }

  /// How many elements from `index` on share its bits' key.
  static long left(long index) {
    return (1L << PAGE) - (index & ((1L << PAGE) - 1));
  }

  /// The bits of element `index`.
  int at(long index) {
    int x = (int) index ^ first;
    x ^= x >>> 16;
    x *= FIRST_FACTOR;
    x ^= x >>> 15;
    x ^= second;
    x *= SECOND_FACTOR;
    return x ^ (x >>> 16);
  }

  private static long mix(long value) {
    return SplitMix64.mix(value + SplitMix64.GOLDEN);
  }
}
