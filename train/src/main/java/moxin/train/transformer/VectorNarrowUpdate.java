package moxin.train.transformer;

import static moxin.train.transformer.VectorMemory.FLOATS;
import static moxin.train.transformer.VectorMemory.INTS;
import static moxin.train.transformer.VectorMemory.LANES;
import static moxin.train.transformer.VectorMemory.load;
import static moxin.train.transformer.VectorMemory.store;

import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import moxin.model.DType;
import moxin.train.OptimizerStates;

/// AdamW on weights or moments that are narrower than fp32, a block of moments at a time: widened,
/// changed in fp32, and rounded by [RoundingBits].
final class VectorNarrowUpdate {
  private static final int BLOCK = OptimizerStates.BLOCK;
  private static final float UNIT_OF_BITS = 0x1p-16f;
  private static final int EXPONENT = 0x7f800000;
  private static final float[] SIGNED = new float[256];
  private static final float[] UNSIGNED = new float[256];

  static {
    for (int byteValue = 0; byteValue < 256; byteValue++) {
      int code = (byte) byteValue;
      SIGNED[byteValue] = code * Math.abs(code) / Moment.SIGNED_UNIT;
      double square = (double) byteValue * byteValue;
      UNSIGNED[byteValue] = (float) (square * square / Moment.UNSIGNED_UNIT);
    }
  }

  private final ParameterRange range;
  private final VectorUpdate.Factors factors;
  private final boolean bf16Weights;
  private final long weights;
  private final long gradient;
  private final long compute;
  private final float[] first = new float[BLOCK];
  private final float[] second = new float[BLOCK];
  private final int[] codes = new int[BLOCK];

  private VectorNarrowUpdate(ParameterRange range, VectorUpdate.Factors factors) {
    this.range = range;
    this.factors = factors;
    this.bf16Weights = range.weights().type() == DType.BF16;
    this.weights = range.weights().address();
    this.gradient = range.gradient().address();
    this.compute = range.compute().address();
  }

  /// One step on `count` elements, whose gradient is zeroed.
  static void adamW(AdamWStep step, ParameterRange range, float decay, int count) {
    VectorNarrowUpdate update = new VectorNarrowUpdate(range, VectorUpdate.Factors.of(step, decay));
    int from = 0;
    while (from < count) {
      long index = range.index() + from;
      int to = (int) Math.min(count, from + RoundingBits.left(index));
      update.run(
          from,
          to,
          RoundingBits.of(step.seed(), step.number(), RoundingBits.Use.MOMENTS, index),
          RoundingBits.of(step.seed(), step.number(), RoundingBits.Use.WEIGHTS, index));
      from = to;
    }
  }

  private void run(int from, int to, RoundingBits ofMoments, RoundingBits ofWeights) {
    for (int at = from; at < to; at += BLOCK) {
      int end = Math.min(at + BLOCK, to);
      read(range.first(), first, SIGNED, at, end);
      read(range.second(), second, UNSIGNED, at, end);
      step(at, end, ofWeights);
      write(range.first(), first, at, end, ofMoments, 0);
      write(range.second(), second, at, end, ofMoments, 16);
    }
  }

  /// Changes weights and moments, these in place.
  private void step(int at, int end, RoundingBits bits) {
    for (int i = at; i < end; i += LANES) {
      FloatVector g = load(false, gradient, i, end).mul(factors.gradientScale());
      FloatVector m = FloatVector.fromArray(FLOATS, first, i - at);
      FloatVector v = FloatVector.fromArray(FLOATS, second, i - at);
      FloatVector w = load(bf16Weights, weights, i, end).mul(factors.keep());
      m = m.add(g.sub(m).mul(factors.rest1()));
      v = v.mul(factors.beta2()).add(g.mul(g).mul(factors.rest2()));
      w = factors.moved(w, m, v);
      m.intoArray(first, i - at);
      v.intoArray(second, i - at);
      store(false, gradient, i, end, FloatVector.zero(FLOATS));
      if (bf16Weights) {
        storeRounded(weights, i, end, w, random(bits, i));
      } else {
        store(false, weights, i, end, w);
        if (range.copied()) {
          store(true, compute, i, end, w);
        }
      }
    }
  }

  /// Widens the moments of a block; what is behind them becomes zero.
  private static void read(Moment moment, float[] into, float[] table, int at, int end) {
    if (!moment.coded()) {
      boolean bf16 = moment.values().type() == DType.BF16;
      long address = moment.values().address();
      for (int i = at; i < at + BLOCK; i += LANES) {
        FloatVector x = i < end ? load(bf16, address, i, end) : FloatVector.zero(FLOATS);
        x.intoArray(into, i - at);
      }
      return;
    }
    long address = moment.values().address();
    float scale = VectorMemory.loadOne(false, moment.scales().address(), at / BLOCK);
    for (int i = at; i < end; i++) {
      int code = VectorMemory.MEMORY.get(ValueLayout.JAVA_BYTE, address + i) & 0xff;
      into[i - at] = scale * table[code];
    }
    for (int i = end; i < at + BLOCK; i++) {
      into[i - at] = 0;
    }
  }

  /// Rounds the moments of a block by the 16 bits from bit `shift` on.
  private void write(Moment moment, float[] from, int at, int end, RoundingBits bits, int shift) {
    if (moment.coded()) {
      encode(moment, from, at, end, bits, shift);
      return;
    }
    boolean bf16 = moment.values().type() == DType.BF16;
    long address = moment.values().address();
    for (int i = at; i < end; i += LANES) {
      FloatVector x = FloatVector.fromArray(FLOATS, from, i - at);
      if (bf16) {
        storeRounded(address, i, end, x, random(bits, i).lanewise(VectorOperators.LSHR, shift));
      } else {
        store(false, address, i, end, x);
      }
    }
  }

  private void encode(Moment moment, float[] from, int at, int end, RoundingBits bits, int shift) {
    float scale = 0;
    for (int i = 0; i < end - at; i++) {
      scale = Math.max(scale, Math.abs(from[i]));
    }
    VectorMemory.storeOne(false, moment.scales().address(), at / BLOCK, scale);
    long address = moment.values().address();
    if (scale == 0) {
      VectorMemory.MEMORY.asSlice(address + at, end - at).fill((byte) 0);
      return;
    }
    boolean signed = moment.values().type() == DType.I8;
    for (int i = at; i < end; i += LANES) {
      FloatVector x = FloatVector.fromArray(FLOATS, from, i - at);
      IntVector random = random(bits, i).lanewise(VectorOperators.LSHR, shift).and(0xffff);
      FloatVector threshold =
          ((FloatVector) random.convert(VectorOperators.I2F, 0)).mul(UNIT_OF_BITS);
      IntVector code = signed ? signed(x, scale, threshold) : unsigned(x, scale, threshold);
      code.intoArray(codes, i - at);
    }
    for (int i = at; i < end; i++) {
      VectorMemory.MEMORY.set(ValueLayout.JAVA_BYTE, address + i, (byte) codes[i - at]);
    }
  }

  /// The code below a first moment, or the one above where the share of the way to it exceeds
  /// `threshold`.
  private static IntVector signed(FloatVector x, float scale, FloatVector threshold) {
    FloatVector t = x.abs().div(scale).mul(Moment.SIGNED_UNIT);
    IntVector code = (IntVector) t.lanewise(VectorOperators.SQRT).convert(VectorOperators.F2I, 0);
    FloatVector c = (FloatVector) code.convert(VectorOperators.I2F, 0);
    FloatVector share = t.sub(c.mul(c)).div(c.mul(2).add(1));
    IntVector rounded = code.add(1, share.compare(VectorOperators.GT, threshold).cast(INTS));
    return rounded.min(127).lanewise(VectorOperators.NEG, x.lt(0).cast(INTS));
  }

  /// As [#signed], of a second moment.
  private static IntVector unsigned(FloatVector x, float scale, FloatVector threshold) {
    FloatVector t = x.div(scale).mul((float) Moment.UNSIGNED_UNIT);
    FloatVector root = t.lanewise(VectorOperators.SQRT).lanewise(VectorOperators.SQRT);
    IntVector code = (IntVector) root.convert(VectorOperators.F2I, 0);
    FloatVector c = (FloatVector) code.convert(VectorOperators.I2F, 0);
    FloatVector low = c.mul(c);
    low = low.mul(low);
    FloatVector high = c.add(1);
    high = high.mul(high);
    high = high.mul(high);
    FloatVector share = t.sub(low).div(high.sub(low));
    IntVector rounded = code.add(1, share.compare(VectorOperators.GT, threshold).cast(INTS));
    VectorMask<Integer> vanishing = x.compare(VectorOperators.GT, 0).cast(INTS);
    return rounded.min(255).lanewise(VectorOperators.MAX, 1, vanishing);
  }

  /// Stores fp32 as bf16: the low 16 bits of `random` are added to those that are cut off.
  private static void storeRounded(long base, int i, int end, FloatVector x, IntVector random) {
    IntVector bits = x.reinterpretAsInts();
    VectorMask<Integer> finite = bits.and(EXPONENT).compare(VectorOperators.NE, EXPONENT);
    IntVector rounded = bits.add(random.and(0xffff), finite).and(0xffff0000);
    store(true, base, i, end, rounded.reinterpretAsFloats());
  }

  private IntVector random(RoundingBits bits, int i) {
    IntVector x =
        IntVector.broadcast(INTS, (int) (range.index() + i))
            .addIndex(1)
            .lanewise(VectorOperators.XOR, bits.first());
    x = x.lanewise(VectorOperators.XOR, x.lanewise(VectorOperators.LSHR, 16));
    x = x.mul(RoundingBits.FIRST_FACTOR);
    x = x.lanewise(VectorOperators.XOR, x.lanewise(VectorOperators.LSHR, 15));
    x = x.lanewise(VectorOperators.XOR, bits.second()).mul(RoundingBits.SECOND_FACTOR);
    return x.lanewise(VectorOperators.XOR, x.lanewise(VectorOperators.LSHR, 16));
  }
}
