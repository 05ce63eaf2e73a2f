package moxin.eval;

import java.io.Serial;
import moxin.job.BadInputException;

/// A task's file that is not what it should be. The message says file, line, found and expected.
public final class TaskDataException extends BadInputException {
  @Serial private static final long serialVersionUID = 1;

  public TaskDataException(String message) {
    super(message);
  }

  public TaskDataException(String message, Throwable cause) {
    super(message, cause);
  }
}
