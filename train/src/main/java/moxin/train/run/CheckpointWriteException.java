package moxin.train.run;

import java.io.IOException;
import java.io.Serial;

/// A checkpoint could not be written; those before it are as they were.
public final class CheckpointWriteException extends IOException {
  @Serial private static final long serialVersionUID = 1;

  CheckpointWriteException(String message, IOException cause) {
    super(message, cause);
  }
}
