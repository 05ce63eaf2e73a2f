package moxin.model.gguf;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Optional;
import moxin.model.CheckpointFormatException;
import moxin.model.DType;
import moxin.model.Precision;
import moxin.model.TensorSpec;
import moxin.model.TensorView;
import moxin.model.quantised.BlockFormat;

/// One tensor on its way from one type and order of rows to another. Rows do not depend on each
/// other, so that many threads can share the work.
///
/// @param source what is read
/// @param type what is written
/// @param headRows row r of each head is that head's row `headRows[r]` in the source; empty where
///   rows stay where they are
/// @param importance of the elements of a row, where known
record TensorConversion(
    TensorView source, DType type, int[] headRows, Optional<float[]> importance) {

  int columns() {
    return Math.toIntExact(source.shape().getLast());
  }

  long rows() {
    return source.elements() / columns();
  }

  /// Bytes of a row as it is written.
  long rowBytes() {
    return type.byteSize(columns());
  }

  /// What is written, under `name`.
  TensorSpec spec(String name) {
    return new TensorSpec(name, type, source.shape());
  }

  /// Converts rows `[from, to)` into `target`, which has room for exactly them.
  ///
  /// @throws CheckpointFormatException if a number cannot be written as the type
  void convert(long from, long to, MemorySegment target) {
    float[] values = new float[columns()];
    for (long row = from; row < to; row++) {
      convertRow(sourceRow(row), values, target.asSlice((row - from) * rowBytes(), rowBytes()));
    }
  }

  private long sourceRow(long row) {
    return headRows.length == 0
        ? row
        : row / headRows.length * headRows.length + headRows[(int) (row % headRows.length)];
  }

  private void convertRow(long row, float[] values, MemorySegment target) {
    if (source.dtype() == type) {
      target.copyFrom(source.data().asSlice(row * rowBytes(), rowBytes()));
      return;
    }
    Precision.widen(source, row * values.length, values, 0, values.length);
    try {
      if (type.isQuantised()) {
        BlockFormat format = BlockFormat.of(type);
        if (importance.isPresent()) {
          format.quantise(values, importance.get(), target);
        } else {
          format.quantise(values, target);
        }
      } else {
        requireRange(values);
        Precision.narrow(values, type, target);
      }
    } catch (IllegalArgumentException e) {
      throw new CheckpointFormatException(
          source.name() + ": row " + row + ": " + e.getMessage(), e);
    }
  }

  /// Of the types that are written, only f16 holds less than what is read.
  private void requireRange(float[] values) {
    if (type != DType.F16) {
      return;
    }
    for (float value : values) {
      if (Float.isFinite(value) && Math.abs(value) >= BlockFormat.GREATEST + 16) {
        throw new IllegalArgumentException(value + " cannot be written as " + type);
      }
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TensorConversion that
        && source.equals(that.source)
        && type == that.type
        && Arrays.equals(headRows, that.headRows)
        && importance.equals(that.importance);
  }

  @Override
  public int hashCode() {
    return source.hashCode();
  }
}
