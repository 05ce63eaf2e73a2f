/// What several processes send each other, and what that would cost on a fabric.
///
/// Begin with [moxin.train.scaling.Volume], which counts bytes as [moxin.train.transformer] sends
/// them, and is tested against what it really sends; [moxin.train.scaling.StepTime] prices them
/// with latency and bandwidth; [moxin.train.scaling.ScalingTables] writes the tables of
/// `docs/SCALING.md`. Nothing here trains.
@NullMarked
package moxin.train.scaling;

import org.jspecify.annotations.NullMarked;
