/// What a run will take, before it is begun: arithmetic, memory of a device by kind, time and cost;
/// and what to change where the memory is not enough.
///
/// Begin with [moxin.train.estimate.RunEstimate]. This package computes with shapes; it opens no
/// files and touches no device. Letters: B rows of a micro-batch, T positions, N = B·T, C hidden
/// size, F feed-forward size, H query heads, G key and value heads, D head size, V vocabulary, L
/// layers, P weights.
@NullMarked
package moxin.train.estimate;

import org.jspecify.annotations.NullMarked;
