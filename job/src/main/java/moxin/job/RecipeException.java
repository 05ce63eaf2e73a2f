package moxin.job;

import java.io.Serial;

/// A recipe that cannot be used. The message is one line: file, place, what was found, what to do.
public final class RecipeException extends BadInputException {
  @Serial private static final long serialVersionUID = 1;

  public RecipeException(String message) {
    super(message);
  }

  public RecipeException(String message, Throwable cause) {
    super(message, cause);
  }
}
