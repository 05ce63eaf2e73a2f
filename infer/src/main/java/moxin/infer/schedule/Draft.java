package moxin.infer.schedule;

import java.util.List;

/// Tokens proposed as the continuation of a text.
///
/// @param ids in order, possibly none
/// @param drawnFrom the distribution that each id was drawn from; empty where the ids were not left
///   to chance
record Draft(int[] ids, List<TokenDistribution> drawnFrom) {
  static final Draft NONE = new Draft(new int[0], List.of());

  /// A proposal that was not left to chance.
  static Draft of(int[] ids) {
    return ids.length == 0 ? NONE : new Draft(ids, List.of());
  }

  int length() {
    return ids.length;
  }
}
