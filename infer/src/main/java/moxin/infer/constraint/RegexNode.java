package moxin.infer.constraint;

import java.util.List;

/// A regular expression, parsed.
sealed interface RegexNode {
  RegexNode EMPTY = new Sequence(List.of());

  /// Any text.
  RegexNode ANYTHING = new Repeat(new OneOf(CodePoints.ALL), 0, Repeat.UNBOUNDED);

  /// One character.
  record OneOf(CodePoints set) implements RegexNode {}

  /// All in order.
  record Sequence(List<RegexNode> parts) implements RegexNode {
    public Sequence {
      parts = List.copyOf(parts);
    }
  }

  /// One of them.
  record Choice(List<RegexNode> options) implements RegexNode {
    public Choice {
      options = List.copyOf(options);
    }
  }

  /// `part`, `min` to `max` times.
  record Repeat(RegexNode part, int min, int max) implements RegexNode {
    static final int UNBOUNDED = -1;
  }

  /// An anchor: nothing comes before, or after.
  record Anchor(Side side) implements RegexNode {}

  /// The two ends of a text.
  enum Side {
    BEGIN,
    END
  }
}
