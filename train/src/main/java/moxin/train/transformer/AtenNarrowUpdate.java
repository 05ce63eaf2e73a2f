package moxin.train.transformer;

import java.util.List;
import moxin.model.DType;
import moxin.torch.Aten;
import moxin.torch.Device;
import moxin.torch.Scope;
import moxin.torch.Tensor;
import moxin.train.OptimizerStates;

/// [VectorNarrowUpdate] composed of libtorch's operators, on any device, with the same random bits.
final class AtenNarrowUpdate {
  private static final long LOW_HALF = 0xffff_ffffL;
  private static final long LOW_16 = 0xffffL;

  private AtenNarrowUpdate() {}

  /// One step on a range, whose gradient is zeroed.
  static void adamW(AdamWStep step, double weightDecay, ParameterRange range) {
    try (Scope _ = Scope.open()) {
      Tensor first = widened(range.first());
      Tensor second = widened(range.second());
      boolean narrow = range.weights().type() != DType.F32;
      Tensor weights = narrow ? Aten.copy(range.weights(), DType.F32) : range.weights();
      AtenKernels.adamW(step, weightDecay, weights, range.gradient(), List.of(first, second));
      Tensor random = random(step, RoundingBits.Use.MOMENTS, range);
      store(range.first(), first, random);
      store(range.second(), second, shifted(random, 16));
      if (narrow) {
        storeRounded(range.weights(), weights, random(step, RoundingBits.Use.WEIGHTS, range));
      } else if (range.copied()) {
        range.compute().copyFrom(weights);
      }
      Aten.zero(range.gradient());
    }
  }

  /// The values of a moment; the moment itself where it is fp32.
  private static Tensor widened(Moment moment) {
    if (!moment.coded()) {
      return moment.values().type() == DType.F32
          ? moment.values()
          : Aten.copy(moment.values(), DType.F32);
    }
    boolean signed = moment.values().type() == DType.I8;
    Tensor codes = Aten.copy(moment.values(), DType.F32);
    Tensor square = Aten.mul(codes, signed ? Aten.abs(codes) : codes);
    Tensor power = signed ? square : Aten.mul(square, square);
    Device device = codes.device();
    Tensor unit = AtenKernels.scalar(1 / unit(signed), device);
    inBlocks(
        power.elements(),
        (at, rows, columns) -> {
          Tensor part = power.view(at, rows, columns);
          Tensor scale = moment.scales().view(at / OptimizerStates.BLOCK, rows, 1);
          part.copyFrom(Aten.mul(part, Aten.mul(scale, unit)));
        });
    return power;
  }

  /// @param random the bits to round by in the low 16
  private static void store(Moment moment, Tensor values, Tensor random) {
    if (moment.coded()) {
      encode(moment, values, random);
    } else if (moment.values() != values) {
      storeRounded(moment.values(), values, random);
    }
  }

  private static void encode(Moment moment, Tensor values, Tensor random) {
    boolean signed = moment.values().type() == DType.I8;
    Device device = values.device();
    Tensor least = AtenKernels.scalar(Float.MIN_NORMAL, device);
    Tensor unit = AtenKernels.scalar(unit(signed), device);
    Tensor bits = Aten.copy(Aten.bitwiseAnd(random, integer(LOW_16, device)), DType.F32);
    Tensor thresholds = Aten.mul(bits, AtenKernels.scalar(0x1p-16, device));
    inBlocks(
        values.elements(),
        (at, rows, columns) -> {
          Tensor x = values.view(at, rows, columns);
          Tensor size = Aten.abs(x);
          Tensor scale = Aten.largest(size);
          Tensor t = Aten.mul(Aten.div(size, Aten.clampMin(scale, least)), unit);
          Tensor threshold = thresholds.view(at, rows, columns);
          Tensor codes = signed ? signed(x, t, threshold) : unsigned(x, t, threshold);
          moment.values().view(at, rows, columns).copyFrom(codes);
          moment.scales().view(at / OptimizerStates.BLOCK, rows, 1).copyFrom(scale);
        });
  }

  private static Tensor signed(Tensor x, Tensor t, Tensor threshold) {
    Tensor one = AtenKernels.scalar(1, x.device());
    Tensor code = Aten.floor(Aten.sqrt(t));
    Tensor rest = Aten.add(t, Aten.mul(code, code), -1);
    Tensor share = Aten.div(rest, Aten.add(Aten.add(code, code), one));
    return Aten.mul(up(code, share, threshold), Aten.sign(x));
  }

  private static Tensor unsigned(Tensor x, Tensor t, Tensor threshold) {
    Tensor one = AtenKernels.scalar(1, x.device());
    Tensor code = Aten.floor(Aten.sqrt(Aten.sqrt(t)));
    Tensor low = fourthPower(code);
    Tensor high = fourthPower(Aten.add(code, one));
    Tensor share = Aten.div(Aten.add(t, low, -1), Aten.add(high, low, -1));
    Tensor zero = AtenKernels.scalar(0, x.device());
    Tensor positive = Aten.copy(Aten.greater(x, zero), DType.F32);
    return Aten.clampMin(up(code, share, threshold), positive);
  }

  private static Tensor fourthPower(Tensor x) {
    Tensor square = Aten.mul(x, x);
    return Aten.mul(square, square);
  }

  private static Tensor up(Tensor code, Tensor share, Tensor threshold) {
    return Aten.add(code, Aten.copy(Aten.greater(share, threshold), DType.F32));
  }

  private static double unit(boolean signed) {
    return signed ? Moment.SIGNED_UNIT : Moment.UNSIGNED_UNIT;
  }

  /// Some whole blocks as rows, or the one that is shorter.
  private interface Blocks {
    void visit(long at, long rows, long columns);
  }

  private static void inBlocks(long elements, Blocks blocks) {
    long whole = elements / OptimizerStates.BLOCK;
    if (whole > 0) {
      blocks.visit(0, whole, OptimizerStates.BLOCK);
    }
    long at = whole * OptimizerStates.BLOCK;
    if (at < elements) {
      blocks.visit(at, 1, elements - at);
    }
  }

  /// Integers are added in float64, in which they are exact: libtorch's `add` is reached with a
  /// factor that is no integer.
  private static void storeRounded(Tensor target, Tensor values, Tensor random) {
    Device device = values.device();
    Tensor bits = Aten.copy(Aten.bits(values), DType.F64);
    Tensor cut = Aten.copy(Aten.bitwiseAnd(random, integer(LOW_16, device)), DType.F64);
    Tensor sum = Aten.copy(Aten.add(bits, cut), DType.I64);
    Tensor kept = Aten.bitwiseAnd(sum, integer(~LOW_16, device));
    target.copyFrom(Aten.ofBits(Aten.copy(kept, DType.I32)));
  }

  /// [RoundingBits] of every element of a range, as integers of 64 bits.
  private static Tensor random(AdamWStep step, RoundingBits.Use use, ParameterRange range) {
    long count = range.weights().elements();
    Tensor all = Tensor.empty(DType.I64, range.weights().device(), count);
    for (long at = 0; at < count; ) {
      long index = range.index() + at;
      long length = Math.min(count - at, RoundingBits.left(index));
      RoundingBits bits = RoundingBits.of(step.seed(), step.number(), use, index);
      all.view(at, length).copyFrom(random(bits, index, length, all.device()));
      at += length;
    }
    return all;
  }

  private static Tensor random(RoundingBits bits, long index, long count, Device device) {
    Tensor steps = Tensor.empty(DType.I64, device, count);
    steps.copyFrom(Aten.expand(Tensor.of(new long[] {1}, device, 1), count));
    steps.view(0, 1).copyFrom(Tensor.of(new long[] {index & LOW_HALF}, device, 1));
    Tensor x = mixed(Aten.sums(steps), bits.first());
    x = Aten.bitwiseXor(x, shifted(x, 16));
    x = product(x, RoundingBits.FIRST_FACTOR);
    x = Aten.bitwiseXor(x, shifted(x, 15));
    x = product(mixed(x, bits.second()), RoundingBits.SECOND_FACTOR);
    return Aten.bitwiseXor(x, shifted(x, 16));
  }

  private static Tensor mixed(Tensor x, int key) {
    return Aten.bitwiseXor(x, integer(key & LOW_HALF, x.device()));
  }

  private static Tensor product(Tensor x, int factor) {
    Tensor wide = Aten.mul(x, integer(factor & LOW_HALF, x.device()));
    return Aten.bitwiseAnd(wide, integer(LOW_HALF, x.device()));
  }

  private static Tensor shifted(Tensor x, int count) {
    return Aten.shiftRight(x, integer(count, x.device()));
  }

  private static Tensor integer(long value, Device device) {
    return Tensor.of(new long[] {value}, device);
  }
}
