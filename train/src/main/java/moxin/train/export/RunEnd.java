package moxin.train.export;

/// How a run ended, in MLflow's words.
public enum RunEnd {
  /// All phases are done.
  FINISHED,
  /// It was asked to stop.
  KILLED,
  /// Something went wrong.
  FAILED
}
