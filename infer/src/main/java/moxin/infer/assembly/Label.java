package moxin.infer.assembly;

/// A place in the code of one [Assembler], bound once; jumps may come before or after.
public final class Label {
  static final int UNBOUND = -1;

  private int position = UNBOUND;

  int position() {
    return position;
  }

  void bind(int at) {
    if (position != UNBOUND) {
      throw new IllegalStateException("a label is bound once");
    }
    position = at;
  }
}
