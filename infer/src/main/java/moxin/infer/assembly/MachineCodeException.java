package moxin.infer.assembly;

import java.io.Serial;

/// Machine code cannot run here; the message is one line that says why.
public final class MachineCodeException extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  MachineCodeException(String message) {
    super(message);
  }
}
