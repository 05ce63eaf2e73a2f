package moxin.model;

/// In which order the D rows of each head of the query and key projections are stored. Rotary
/// embeddings turn pairs of rows; the two orders differ in which rows make a pair.
///
/// Hugging Face's files and the engines here use [#HALF_SPLIT]; GGUF files of the llama
/// architecture use [#INTERLEAVED]. Going from one to the other moves whole rows, so quantised
/// blocks, which run along a row, are untouched.
public enum RotaryOrder {
  /// Row i < D/2 is turned with row i + D/2.
  HALF_SPLIT,
  /// Row 2i is turned with row 2i + 1.
  INTERLEAVED;

  /// Which rows of a head stored in order `stored` make up the same head in this order: row r is
  /// row `rowsFrom(stored, headDim)[r]` there.
  ///
  /// @param headDim D, even
  public int[] rowsFrom(RotaryOrder stored, int headDim) {
    if (headDim <= 0 || headDim % 2 != 0) {
      throw new IllegalArgumentException("a head has an even number of rows, not " + headDim);
    }
    int half = headDim / 2;
    int[] rows = new int[headDim];
    for (int row = 0; row < headDim; row++) {
      rows[row] =
          this == stored
              ? row
              : switch (this) {
                case HALF_SPLIT -> row < half ? 2 * row : 2 * (row - half) + 1;
                case INTERLEAVED -> row % 2 == 0 ? row / 2 : half + row / 2;
              };
    }
    return rows;
  }
}
