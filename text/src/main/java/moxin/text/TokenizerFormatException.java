package moxin.text;

import java.io.Serial;
import moxin.job.BadInputException;

/// A tokenizer file that cannot be used. The message is one line: file, place, what was found, what
/// was expected.
public final class TokenizerFormatException extends BadInputException {
  @Serial private static final long serialVersionUID = 1;

  public TokenizerFormatException(String message) {
    super(oneLine(message));
  }

  public TokenizerFormatException(String message, Throwable cause) {
    super(oneLine(message), cause);
  }

  /// Pieces of a broken file may hold any character.
  private static String oneLine(String message) {
    return message.replaceAll("\\p{Cntrl}", "?");
  }
}
