package moxin.infer;

/// The exponential function that all kernels share: the same operations in the same order give the
/// same bits in scalar and vector code. Within 2 units in the last place on `[LOWEST, HIGHEST]`.
///
/// `exp(x) = 2ⁿ · exp(r)` with `n` the integer nearest to `x / ln 2` and `|r| ≤ ln 2 / 2`; `exp(r)`
/// is its Taylor polynomial of degree 7.
final class Exponential {
  /// Below this the result is 0; `2⁻¹²⁶` is the smallest normal number.
  static final float LOWEST = -87.0f;

  /// Above this the result stays that of this.
  static final float HIGHEST = 88.0f;

  static final float PER_LN2 = 0x1.715476p0f;

  /// Adding and subtracting it rounds to an integer.
  static final float ROUNDER = 0x1.8p23f;

  /// ln 2 in two parts; the first has trailing zeros, so that its multiples are exact.
  static final float LN2_HIGH = 0x1.62e4p-1f;

  static final float LN2_LOW = 0x1.7f7d1cp-20f;

  static final float C7 = 1f / 5040;
  static final float C6 = 1f / 720;
  static final float C5 = 1f / 120;
  static final float C4 = 1f / 24;
  static final float C3 = 1f / 6;
  static final float C2 = 1f / 2;

  /// Bits of an fp32 significand, by which an exponent is shifted.
  static final int EXPONENT_SHIFT = 23;

  private Exponential() {}

  /// The scalar form.
  static float of(float x) {
    if (x < LOWEST) {
      return 0f;
    }
    float bounded = Math.min(x, HIGHEST);
    float shifted = Math.fma(bounded, PER_LN2, ROUNDER);
    float n = shifted - ROUNDER;
    float r = Math.fma(n, -LN2_HIGH, bounded);
    r = Math.fma(n, -LN2_LOW, r);
    float p = Math.fma(C7, r, C6);
    p = Math.fma(p, r, C5);
    p = Math.fma(p, r, C4);
    p = Math.fma(p, r, C3);
    p = Math.fma(p, r, C2);
    p = Math.fma(p, r, 1f);
    p = Math.fma(p, r, 1f);
    int exponent = Float.floatToRawIntBits(shifted) << EXPONENT_SHIFT;
    return Float.intBitsToFloat(Float.floatToRawIntBits(p) + exponent);
  }
}
