package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonProperty;

/// Who writes a checkpoint while what happens to the training.
public enum CheckpointWriting {
  /// Weights and optimizer state are copied into host memory, which is as large as both, and
  /// written by a thread of its own while training goes on.
  @JsonProperty("background")
  BACKGROUND,
  /// Training waits until the files are written; needs no copy.
  @JsonProperty("foreground")
  FOREGROUND
}
