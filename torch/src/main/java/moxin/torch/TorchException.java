package moxin.torch;

import java.io.Serial;

/// A call that libtorch refused, with its message. The first line says which operator and why.
public final class TorchException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1;

  public TorchException(String message) {
    super(message);
  }
}
