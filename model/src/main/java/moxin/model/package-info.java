/// What a model is: its configuration, its weights on disk, and the seam through which everything
/// else uses it.
///
/// Begin with [moxin.model.LanguageModel]: the CPU engine and the libtorch model implement it, and
/// evaluation, generation and serving use it without knowing which they have. This package computes
/// nothing with weights.
@NullMarked
package moxin.model;

import org.jspecify.annotations.NullMarked;
