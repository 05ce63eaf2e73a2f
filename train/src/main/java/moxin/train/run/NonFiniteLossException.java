package moxin.train.run;

import java.io.Serial;

/// A run stopped because its loss or gradient is not finite. The message says where.
public final class NonFiniteLossException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1;

  public NonFiniteLossException(String message) {
    super(message);
  }
}
