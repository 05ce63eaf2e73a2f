package moxin.train.transformer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import moxin.model.CheckpointFormatException;
import moxin.model.DType;
import moxin.model.Precision;
import moxin.model.TensorView;
import moxin.model.quantised.BlockFormat;
import moxin.model.quantised.NormalFloat;
import moxin.train.adapter.FrozenWeights;

/// A weight in 4 bits, its numbers one row after the other; blocks do not begin anew with rows.
///
/// @param codes NF4's codes, or Q4_0's blocks
/// @param scales NF4's scales; empty for Q4_0
record QuantisedWeight(
    FrozenWeights kind, long elements, MemorySegment codes, MemorySegment scales) {

  /// Pieces of so many elements begin with a block of either kind.
  static final int PIECE = 4096;

  private static final BlockFormat Q4_0 = BlockFormat.of(DType.Q4_0);

  /// A weight of `elements` numbers that are not set.
  static QuantisedWeight allocate(FrozenWeights kind, long elements, Arena arena) {
    long codes = codeBytes(kind, elements);
    long scales = bytes(kind, elements) - codes;
    return new QuantisedWeight(kind, elements, arena.allocate(codes, 64), arena.allocate(scales));
  }

  /// The memory of `elements` numbers.
  static long bytes(FrozenWeights kind, long elements) {
    long codes = codeBytes(kind, elements);
    return kind == FrozenWeights.NF4 ? codes + NormalFloat.scaleBytes(elements) : codes;
  }

  private static long codeBytes(FrozenWeights kind, long elements) {
    return switch (kind) {
      case NF4 -> NormalFloat.codeBytes(elements);
      case Q4_0 -> DType.Q4_0.byteSize(whole(elements));
      case PLAIN -> throw new IllegalArgumentException("plain weights are not quantised");
    };
  }

  /// The pieces that it is set and read in.
  int pieces() {
    return Math.toIntExact(Math.ceilDiv(elements, (long) PIECE));
  }

  /// Elements of piece `index`.
  int count(int index) {
    return (int) Math.min(PIECE, elements - (long) index * PIECE);
  }

  /// Sets piece `index` to the nearest numbers to those of `source`.
  ///
  /// @throws CheckpointFormatException if one cannot be written
  void set(int index, TensorView source) {
    int count = count(index);
    long from = (long) index * PIECE;
    float[] values = new float[(int) whole(count)];
    Precision.widen(source, from, values, 0, count);
    try {
      if (kind == FrozenWeights.NF4) {
        NormalFloat.quantise(values, count, codes, scales, from);
      } else {
        long bytes = DType.Q4_0.byteSize(values.length);
        Q4_0.quantise(values, codes.asSlice(DType.Q4_0.byteSize(from), bytes));
      }
    } catch (IllegalArgumentException e) {
      throw new CheckpointFormatException(source.name() + ": " + e.getMessage(), e);
    }
  }

  /// The numbers of piece `index`, into `target` from 0 on.
  void read(int index, float[] target) {
    long from = (long) index * PIECE;
    if (kind == FrozenWeights.NF4) {
      NormalFloat.dequantise(codes, scales, from, target, count(index));
    } else {
      Q4_0.dequantise(codes, from, target, 0, count(index));
    }
  }

  private static long whole(long elements) {
    long block = DType.Q4_0.blockElements();
    return Math.ceilDiv(elements, block) * block;
  }
}
