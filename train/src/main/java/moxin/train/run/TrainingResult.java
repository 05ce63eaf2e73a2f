package moxin.train.run;

import java.nio.file.Path;
import java.util.Optional;

/// What a run came to.
///
/// @param checkpoint the last one
/// @param steps of all phases
/// @param tokens positions learned from
/// @param validation the last point, where the recipe evaluates
public record TrainingResult(
    Path checkpoint, long steps, long tokens, Optional<ValidationPoint> validation) {}
