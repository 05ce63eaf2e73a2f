/// The CPU inference engine: prefill, decode, sampling and generation on a rolling KV cache.
///
/// Begin with [moxin.infer.CpuModel], then [moxin.infer.Generator]. Kernels are behind
/// [moxin.infer.Kernels], chosen once at start. In kernels: C hidden, H query heads, G key and
/// value heads, D head dimension, V vocabulary, K the inner dimension of a product. What may differ
/// from exact arithmetic, and what may not differ at all, is in `docs/PRECISION.md`.
@NullMarked
package moxin.infer;

import org.jspecify.annotations.NullMarked;
