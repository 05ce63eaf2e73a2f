package moxin.train.transformer;

/// The part of a pass that belongs to one session.
///
/// @param at the first of its tokens within the pass
record PassShare(KvCache cache, int at, KvCache.Visible visible) {}
