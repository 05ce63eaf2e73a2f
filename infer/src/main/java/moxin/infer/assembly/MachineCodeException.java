package moxin.infer.assembly;

import java.io.Serial;

/// Machine code cannot run here; the message is one line that says why.
public final class MachineCodeException extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  private final String reason;

  MachineCodeException(String reason) {
    super(reason);
    this.reason = reason;
  }

  /// The message.
  public String reason() {
    return reason;
  }
}
