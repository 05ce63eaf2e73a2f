package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonProperty;

/// What follows when the disk has no room for a checkpoint or a log.
public enum OnFullDisk {
  /// The run ends with one line; the last good checkpoint stays.
  @JsonProperty("stop")
  STOP,
  /// The run says so once and tries again until there is room. Training goes on until something
  /// else has to be written.
  @JsonProperty("wait")
  WAIT
}
