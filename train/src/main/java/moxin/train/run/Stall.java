package moxin.train.run;

import java.nio.file.Path;
import java.time.Duration;
import moxin.train.recipe.StallAction;

/// A step that does not end.
///
/// @param step done last
/// @param silence since the last sign of progress
/// @param dump the file with the stacks of all threads
/// @param action that the recipe asks for; what ends a process is the caller's
public record Stall(long step, Duration silence, Path dump, StallAction action) {}
