package moxin.torch;

import java.io.Serial;
import moxin.job.BadInputException;
import org.jspecify.annotations.Nullable;

/// libtorch cannot be used on this machine. The message is one line that says why and what to do.
public final class LibTorchUnavailableException extends BadInputException {
  @Serial private static final long serialVersionUID = 1;

  public LibTorchUnavailableException(String message) {
    this(message, null);
  }

  public LibTorchUnavailableException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
