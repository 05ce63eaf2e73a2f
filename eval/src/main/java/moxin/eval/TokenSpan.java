package moxin.eval;

/// A token sequence of which the last ids are to be scored.
///
/// @param tokens context followed by what is scored
/// @param scored how many ids at the end are scored; less than all, since the first has no context
record TokenSpan(int[] tokens, int scored) {

  TokenSpan {
    if (scored < 0 || (scored > 0 && scored >= tokens.length)) {
      throw new IllegalArgumentException(
          scored + " of " + tokens.length + " tokens cannot be scored");
    }
  }

  /// The number of ids that are fed to the model: all but the last.
  int inputs() {
    return tokens.length - 1;
  }

  /// The first position whose logits are needed.
  int firstRow() {
    return tokens.length - 1 - scored;
  }

  /// The number of ids that are only context.
  int contextLength() {
    return tokens.length - scored;
  }
}
