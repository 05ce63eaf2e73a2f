package moxin.train.loader;

import moxin.job.SplitMix64;

/// A pseudo-random permutation of `[0, size)` that stores nothing: a Feistel network over the
/// smallest even number of bits that holds `size`, walked until it lands inside (Black and Rogaway
/// 2002, "Ciphers with arbitrary finite domains").
final class Permutation {
  private static final int ROUNDS = 6;

  private final long size;
  private final int halfBits;
  private final long seed;

  Permutation(long size, long seed) {
    this.size = size;
    this.seed = seed;
    int bits = 64 - Long.numberOfLeadingZeros(Math.max(size - 1, 1));
    this.halfBits = (bits + 1) / 2;
  }

  /// Where `index` goes.
  long at(long index) {
    long value = index;
    do {
      value = encrypt(value);
    } while (value >= size);
    return value;
  }

  /// The index that goes to `value`.
  long indexOf(long value) {
    long index = value;
    do {
      index = decrypt(index);
    } while (index >= size);
    return index;
  }

  private long decrypt(long value) {
    long mask = (1L << halfBits) - 1;
    long left = value >>> halfBits;
    long right = value & mask;
    for (int round = ROUNDS - 1; round >= 0; round--) {
      long previous = right ^ (mix(seed + round, left) & mask);
      right = left;
      left = previous;
    }
    return (left << halfBits) | right;
  }

  private long encrypt(long value) {
    long mask = (1L << halfBits) - 1;
    long left = value >>> halfBits;
    long right = value & mask;
    for (int round = 0; round < ROUNDS; round++) {
      long next = left ^ (mix(seed + round, right) & mask);
      left = right;
      right = next;
    }
    return (left << halfBits) | right;
  }

  /// A number that follows from `seed` and `value` and looks like none of its neighbours.
  static long mix(long seed, long value) {
    return SplitMix64.mix((seed ^ (value * SplitMix64.GOLDEN)) + SplitMix64.GOLDEN);
  }
}
