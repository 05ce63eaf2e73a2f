package moxin.train.loader;

/// Where reading a source stands.
///
/// @param epoch passes completed
/// @param index documents (or windows) of this pass that are used up
/// @param offset tokens of the current document that are used up
public record Cursor(long epoch, long index, long offset) {

  static final Cursor START = new Cursor(0, 0, 0);
}
