package moxin.train.estimate;

/// The type of AdamW's two moments.
public enum Moments {
  FP32(8),
  BF16(4),
  /// One byte each, with a fp32 scale for every 256 elements.
  INT8(2 + 2 * 4 / 256.0);

  private final double bytesPerWeight;

  Moments(double bytesPerWeight) {
    this.bytesPerWeight = bytesPerWeight;
  }

  /// The bytes of both.
  public double bytesPerWeight() {
    return bytesPerWeight;
  }
}
