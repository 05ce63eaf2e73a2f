package moxin.train.run;

import java.io.Serial;

/// A run ended at a spike of loss or gradient norm.
public final class SpikeException extends UnstableTrainingException {
  @Serial private static final long serialVersionUID = 1;

  SpikeException(String message) {
    super(message);
  }
}
