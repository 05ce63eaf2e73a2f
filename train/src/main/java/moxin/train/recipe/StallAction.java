package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonProperty;

/// What follows a step that does not end.
public enum StallAction {
  /// The stacks of all threads are written to the run directory.
  @JsonProperty("dump")
  DUMP,
  /// They are written, and the process ends.
  @JsonProperty("abort")
  ABORT
}
