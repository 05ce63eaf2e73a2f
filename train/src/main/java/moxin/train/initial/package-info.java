/// The first weights of a run from a shallower checkpoint: layers that stand twice, or new blocks
/// that change nothing at first.
///
/// Begin with [moxin.train.initial.InitialWeights]. Weights are views of a mapped file; no model is
/// held in memory here.
@NullMarked
package moxin.train.initial;

import org.jspecify.annotations.NullMarked;
