package moxin.train.verify;

import java.io.IOException;
import java.io.Serial;

/// A run of a verification ended by itself with an error.
public final class RunFailedException extends IOException {
  @Serial private static final long serialVersionUID = 1;

  RunFailedException(String message) {
    super(message);
  }
}
