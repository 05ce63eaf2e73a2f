/// Benchmarks: training throughput, kernels, and the limits of the machine they run on.
@NullMarked
package moxin.bench;

import org.jspecify.annotations.NullMarked;
