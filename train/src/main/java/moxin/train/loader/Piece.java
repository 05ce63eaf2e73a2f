package moxin.train.loader;

/// Consecutive tokens of a source that are one segment of a row.
///
/// @param from the position of the first token in the source
/// @param count how many are inputs
/// @param ends whether the last of them is the last of its document, so that it predicts nothing;
///   otherwise the token after it is its target
record Piece(long from, int count, boolean ends) {

  /// The position after the last token that is read, be it only as a target.
  long end() {
    return from + count + (ends ? 0 : 1);
  }
}
