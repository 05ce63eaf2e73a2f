package moxin.infer;

/// The part of a pass that belongs to one sequence: `count` neighbouring tokens.
///
/// @param cache takes their keys and values
/// @param position the position of the first
/// @param row where the first stands in the pass
/// @param tokens their ids, from index `from`
record Share(KvCache cache, int position, int row, int[] tokens, int from, int count) {}
