package moxin.infer.assembly;

import moxin.infer.kernel.WeightFormat;

/// What packing and driving ask about the code of a quantised format.
///
/// Packed, the blocks of [#rows] neighbouring rows are interleaved by 32-bit words: a vector holds
/// the same word of these rows. A unit is a block of the format, or a pair of them.
interface PackedUnit {

  WeightFormat format();

  /// Blocks of the format in a unit.
  int formatBlocks();

  /// Rows of a vector.
  int rows();

  /// What packing adds to each word of weights without carry.
  int mask();

  /// Columns of a unit.
  default int columns() {
    return format().blockElements() * formatBlocks();
  }

  /// Blocks of 32 columns in a unit.
  default int blocks() {
    return columns() / InputLayout.BLOCK;
  }

  /// Bytes of a unit of all rows.
  default int unitBytes() {
    return rows() * format().blockBytes() * formatBlocks();
  }

  /// A name for messages and kernels.
  default String label() {
    return formatBlocks() == 1 ? format().name() : format().name() + "x" + formatBlocks();
  }
}
