/// ggml's quantised weights: blocks of neighbouring elements of a row that share scales.
///
/// Begin with [moxin.model.quantised.BlockFormat]; each implementation states its layout. Reading
/// gives the numbers that ggml computes with; writing searches the scales that lose least. This
/// package knows rows of numbers, not files or models.
///
/// Layouts: ggml's `ggml-common.h`; a block's bytes are little-endian and f16 is IEEE binary16.
@NullMarked
package moxin.model.quantised;

import org.jspecify.annotations.NullMarked;
