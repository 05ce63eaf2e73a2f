/// Training: a recipe is read, its phases run, and every step leaves a record.
///
/// Begin with [moxin.train.Learner], the seam between the training loop, which knows batches,
/// schedules and checkpoints, and the model on libtorch, which knows tensors. This package writes
/// no terminal output.
@NullMarked
package moxin.train;

import org.jspecify.annotations.NullMarked;
