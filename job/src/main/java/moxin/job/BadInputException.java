package moxin.job;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/// Input from outside that cannot be used: a file, a recipe, an option. The message is one line
/// that says what and where, what was found, what was expected, and what to do; the command line
/// shows it as it is, with exit code 2.
public class BadInputException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1;

  private final String line;

  public BadInputException(String message) {
    this(message, null);
  }

  public BadInputException(String message, @Nullable Throwable cause) {
    super(message, cause);
    this.line = message;
  }

  /// The message, which is never absent.
  @Override
  public String getMessage() {
    return line;
  }
}
