/// The training loop and what it leaves behind: metrics, validation points, samples and
/// checkpoints, such that a killed run goes on with the same bits.
///
/// Begin with [moxin.train.run.Training]. The model is only known as a [moxin.train.Learner].
@NullMarked
package moxin.train.run;

import org.jspecify.annotations.NullMarked;
