/// Matrix products of weights in any format with activations: the inner loops of the CPU engine.
///
/// Begin with [moxin.infer.kernel.MatrixKernels], which states what every tier must compute to the
/// last bit. Tiers: [moxin.infer.kernel.ScalarKernels], the oracle;
/// [moxin.infer.kernel.VectorKernels] on the Vector API; and machine code in
/// `moxin.infer.assembly`. Letters: M rows of a weight matrix, K its columns and the inner
/// dimension, N tokens. This package knows no model, no attention and no threads.
@NullMarked
package moxin.infer.kernel;

import org.jspecify.annotations.NullMarked;
