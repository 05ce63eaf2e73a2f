package moxin.collective;

import java.io.Serial;
import moxin.job.BadInputException;

/// The processes of a job were started in a way that does not let them work together. The message
/// is one line that says how to start them.
public final class LaunchException extends BadInputException {
  @Serial private static final long serialVersionUID = 1;

  LaunchException(String message) {
    super(message);
  }

  LaunchException(String message, Throwable cause) {
    super(message, cause);
  }
}
