package moxin.model;

import java.io.Serial;
import moxin.job.BadInputException;

/// A model file that is not what it should be. The message says file, position, found and expected.
public final class CheckpointFormatException extends BadInputException {
  @Serial private static final long serialVersionUID = 1;

  public CheckpointFormatException(String message) {
    super(message);
  }

  public CheckpointFormatException(String message, Throwable cause) {
    super(message, cause);
  }
}
