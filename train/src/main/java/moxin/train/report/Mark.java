package moxin.train.report;

/// Something that happened at a step.
///
/// @param kind such as `spike`
/// @param finding in words
/// @param action that followed
record Mark(long step, String kind, String finding, String action) {

  /// All of it in one line.
  String words() {
    return "step " + step + ", " + kind + ": " + finding + "; " + action;
  }
}
