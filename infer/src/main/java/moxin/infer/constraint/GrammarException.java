package moxin.infer.constraint;

import java.io.Serial;
import moxin.job.BadInputException;

/// A regular expression or JSON schema that cannot be used. The message says where and why.
public final class GrammarException extends BadInputException {
  @Serial private static final long serialVersionUID = 1;

  public GrammarException(String message) {
    super(oneLine(message));
  }

  public GrammarException(String message, Throwable cause) {
    super(oneLine(message), cause);
  }

  /// Names and patterns may have line ends.
  private static String oneLine(String message) {
    return message.replaceAll("[\\p{Cntrl}\u2028\u2029]", "?");
  }
}
