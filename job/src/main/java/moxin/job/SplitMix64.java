package moxin.job;

/// SplitMix64 (Steele, Lea, Flood 2014): random bits that are a function of a number, the same on
/// every machine.
public final class SplitMix64 {
  /// The odd number nearest 2⁶⁴ divided by the golden ratio: what successive numbers differ by.
  public static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private SplitMix64() {}

  /// The finaliser: each bit of `z` changes half of the result's, and different numbers stay so.
  public static long mix(long z) {
    long a = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    long b = (a ^ (a >>> 27)) * 0x94D049BB133111EBL;
    return b ^ (b >>> 31);
  }
}
