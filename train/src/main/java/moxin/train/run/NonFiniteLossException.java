package moxin.train.run;

import java.io.Serial;

/// A run ended because a loss or a gradient was not finite.
public final class NonFiniteLossException extends UnstableTrainingException {
  @Serial private static final long serialVersionUID = 1;

  NonFiniteLossException(String message) {
    super(message);
  }
}
