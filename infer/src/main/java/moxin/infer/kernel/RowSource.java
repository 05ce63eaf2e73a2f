package moxin.infer.kernel;

import java.lang.foreign.MemorySegment;

/// Where the rows of a matrix come from when it is packed.
@FunctionalInterface
public interface RowSource {

  /// The bytes of row `row` as its [WeightFormat] stores them in a file; may be unaligned.
  MemorySegment row(int row);
}
