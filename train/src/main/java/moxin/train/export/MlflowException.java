package moxin.train.export;

import java.io.IOException;
import java.io.Serial;

/// A tracking server's answer that is not what was asked for.
final class MlflowException extends IOException {
  @Serial private static final long serialVersionUID = 1;

  private final int status;
  private final String code;

  /// @param status of HTTP
  /// @param code of MLflow, such as `RESOURCE_DOES_NOT_EXIST`; empty without one
  MlflowException(int status, String code, String message) {
    super(message);
    this.status = status;
    this.code = code;
  }

  String code() {
    return code;
  }

  /// Whether the same may succeed later.
  boolean passes() {
    return status == 408 || status == 429 || status / 100 == 5;
  }
}
