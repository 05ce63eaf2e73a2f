/// The transformer on libtorch: forward, hand-written backward, optimizer, and a language model to
/// run what was trained.
///
/// Begin with [moxin.train.transformer.TorchLearner], then [moxin.train.transformer.Transformer],
/// which is the mathematics in order. A batch is cut into slices of rows that run on threads of
/// their own; their gradients are added in slice order, so that the result does not depend on the
/// number of threads. What libtorch does slowly on a CPU is done by
/// [moxin.train.transformer.VectorKernels]; [moxin.train.transformer.AtenKernels] does the same
/// with libtorch's operators on any device.
///
/// Letters: B rows of a batch, T positions, N = B·T, C hidden size, F feed-forward size, H query
/// heads, G key and value heads, R = H/G, D head size, V vocabulary, L layers.
@NullMarked
package moxin.train.transformer;

import org.jspecify.annotations.NullMarked;
