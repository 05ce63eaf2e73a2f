/// Tests of the matrix kernels: every tier against the scalar one, that against float64.
@NullMarked
package moxin.infer.kernel;

import org.jspecify.annotations.NullMarked;
