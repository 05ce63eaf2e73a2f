package moxin.train.run;

import java.util.Optional;

/// A step that was taken.
///
/// @param metrics its line of `metrics.jsonl`
/// @param verdict what is wrong with it; its update is not made then
/// @param statistics of its parameters, where it is due
record Step(
    StepMetrics metrics,
    Optional<StepJudge.Verdict> verdict,
    Optional<StepStatistics> statistics) {}
