package moxin.model;

import java.util.Arrays;
import java.util.List;

/// What a tensor is without its data.
public record TensorSpec(String name, DType dtype, List<Long> shape) {

  public TensorSpec {
    shape = List.copyOf(shape);
    for (long dimension : shape) {
      if (dimension < 0) {
        throw new IllegalArgumentException(name + ": negative dimension in " + shape);
      }
    }
    requireWholeBlocks(name, dtype, shape);
  }

  static void requireWholeBlocks(String name, DType dtype, List<Long> shape) {
    long last = shape.isEmpty() ? 1 : shape.getLast();
    if (last % dtype.blockElements() != 0) {
      throw new IllegalArgumentException(
          name
              + ": the last dimension of "
              + shape
              + " is no whole number of blocks of "
              + dtype.blockElements()
              + ", "
              + dtype);
    }
  }

  /// A specification with its shape as numbers.
  public static TensorSpec of(String name, DType dtype, long... shape) {
    return new TensorSpec(name, dtype, Arrays.stream(shape).boxed().toList());
  }

  /// What `view` shows.
  public static TensorSpec of(TensorView view) {
    return new TensorSpec(view.name(), view.dtype(), view.shape());
  }

  /// The size of the data in bytes.
  ///
  /// @throws ArithmeticException if it is beyond 2⁶³ − 1
  public long byteSize() {
    long elements = 1;
    for (long dimension : shape) {
      elements = Math.multiplyExact(elements, dimension);
    }
    return dtype.byteSize(elements);
  }
}
