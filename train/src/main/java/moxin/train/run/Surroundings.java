package moxin.train.run;

import moxin.job.Progress;

/// What a run is told by and tells.
///
/// @param job what runs
/// @param observer is told of steps, evaluations and checkpoints
/// @param progress is shown to people
/// @param stop asks the run to stop
/// @param documents finds those behind the rows of a bad step
record Surroundings(
    TrainingJob job,
    TrainingObserver observer,
    Progress progress,
    StopRequest stop,
    RowDocuments documents) {}
