package moxin.train.transformer;

import moxin.model.DType;
import moxin.torch.Aten;
import moxin.torch.Device;
import moxin.torch.Tensor;
import moxin.train.OptimizerStates;

/// One of AdamW's moments of a flat range of parameters.
///
/// In 8 bits, with s the largest magnitude of a block, a first moment is `s · c·|c| / 127²` with c
/// in [−127, 127] and a second moment `s · c⁴ / 255⁴` with c in [0, 255]. Both roundings are
/// stochastic and right in the mean, but for second moments above 0, which never become 0: a step
/// divides by their roots.
///
/// @param values F32, BF16, or codes in I8 and U8
/// @param scales fp32, one for every [OptimizerStates#BLOCK] codes; the same tensor as `values`
///   where there are no codes
record Moment(Tensor values, Tensor scales) {
  static final float SIGNED_UNIT = 127f * 127f;
  static final double UNSIGNED_UNIT = 255.0 * 255 * 255 * 255;

  /// `size` first moments of zero.
  static Moment first(OptimizerStates states, long size, Device device) {
    return zeros(states, DType.I8, size, device);
  }

  /// `size` second moments of zero.
  static Moment second(OptimizerStates states, long size, Device device) {
    return zeros(states, DType.U8, size, device);
  }

  private static Moment zeros(OptimizerStates states, DType code, long size, Device device) {
    DType type =
        switch (states) {
          case FP32 -> DType.F32;
          case BF16 -> DType.BF16;
          case INT8 -> code;
        };
    Tensor values = Tensor.zeros(type, device, size);
    return new Moment(
        values,
        states == OptimizerStates.INT8 ? Tensor.zeros(DType.F32, device, blocks(size)) : values);
  }

  /// Whether values are codes.
  boolean coded() {
    return scales != values;
  }

  /// Elements `[from, from + count)`; codes from the beginning of a block on.
  Moment range(long from, long count) {
    Tensor part = values.view(from, count);
    if (!coded()) {
      return new Moment(part, part);
    }
    if (from % OptimizerStates.BLOCK != 0) {
      throw new IllegalArgumentException("element " + from + " begins no block");
    }
    return new Moment(part, scales.view(from / OptimizerStates.BLOCK, blocks(count)));
  }

  /// A copy on `device`, even where it is there.
  Moment copy(Device device) {
    Tensor other = copy(values, device);
    return new Moment(other, coded() ? copy(scales, device) : other);
  }

  /// Overwrites this by `other`.
  void copyFrom(Moment other) {
    values.copyFrom(other.values);
    if (coded()) {
      scales.copyFrom(other.scales);
    }
  }

  void zero() {
    Aten.zero(values);
    Aten.zero(scales);
  }

  /// How many blocks `count` elements are.
  static long blocks(long count) {
    return Math.ceilDiv(count, OptimizerStates.BLOCK);
  }

  static Tensor copy(Tensor tensor, Device device) {
    Tensor other = Tensor.empty(tensor.type(), device, tensor.shape());
    other.copyFrom(tensor);
    return other;
  }
}
