package moxin.collective;

import java.io.Serial;

/// The processes of a job cannot go on together: one is lost, or the transport has failed. The
/// message is one line.
public final class CollectiveException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1;

  CollectiveException(String message) {
    super(message);
  }

  CollectiveException(String message, Throwable cause) {
    super(message, cause);
  }
}
