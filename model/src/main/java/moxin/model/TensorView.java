package moxin.model;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/// A named tensor in borrowed memory: contiguous, row-major, little-endian.
///
/// @param data exactly the tensor's bytes, valid as long as its owner is open
public record TensorView(String name, DType dtype, List<Long> shape, MemorySegment data) {

  public TensorView {
    shape = List.copyOf(shape);
    TensorSpec.requireWholeBlocks(name, dtype, shape);
    long expected = dtype.byteSize(elements(shape));
    if (data.byteSize() != expected) {
      throw new IllegalArgumentException(
          name + ": " + data.byteSize() + " bytes given, " + dtype + shape + " has " + expected);
    }
  }

  /// A view with its shape as numbers.
  public static TensorView of(String name, DType dtype, MemorySegment data, long... shape) {
    return new TensorView(name, dtype, Arrays.stream(shape).boxed().toList(), data);
  }

  /// The number of elements; 1 for a scalar.
  public long elements() {
    return elements(shape);
  }

  private static long elements(List<Long> shape) {
    long product = 1;
    for (long dimension : shape) {
      product = Math.multiplyExact(product, dimension);
    }
    return product;
  }
}
