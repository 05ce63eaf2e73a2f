package moxin.train.run;

import java.io.Serial;

/// A run ended because its loss or gradients were not what they should be. The message is one line
/// that names the step.
public class UnstableTrainingException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1;

  UnstableTrainingException(String message) {
    super(message);
  }
}
