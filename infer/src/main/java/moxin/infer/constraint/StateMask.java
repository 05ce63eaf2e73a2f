package moxin.infer.constraint;

/// What one state allows, whatever the stack, and which tokens the stack decides. Immutable.
///
/// @param bits allowed tokens as a mask; empty if `ids` has them
/// @param ids allowed tokens where they are few; empty if `bits` has them
/// @param dependent tokens that end the state's rule in their middle and may be right or wrong
///   there, as ascending indexes in the order of the trie
record StateMask(long[] bits, int[] ids, int[] dependent) {

  /// Adds the allowed tokens to `mask`.
  void addTo(long[] mask) {
    for (int w = 0; w < bits.length; w++) {
      mask[w] |= bits[w];
    }
    for (int id : ids) {
      mask[id >>> 6] |= 1L << id;
    }
  }
}
