/// From token shards to batches: sources are mixed by weight, documents packed into rows, and the
/// order of everything follows from a seed and a small state that is saved with every checkpoint.
///
/// Begin with [moxin.train.loader.Loader]. This package knows no model.
@NullMarked
package moxin.train.loader;

import org.jspecify.annotations.NullMarked;
