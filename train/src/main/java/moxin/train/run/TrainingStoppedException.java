package moxin.train.run;

import java.io.Serial;
import java.nio.file.Path;

/// A run was asked to stop, and saved what it takes to go on.
public final class TrainingStoppedException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1;

  private final long step;
  private final transient Path checkpoint;

  TrainingStoppedException(long step, Path checkpoint) {
    super("stopped after step " + step + ", saved in " + checkpoint);
    this.step = step;
    this.checkpoint = checkpoint;
  }

  /// Steps done of the whole run.
  public long step() {
    return step;
  }

  /// The checkpoint to go on from.
  public Path checkpoint() {
    return checkpoint;
  }
}
