package moxin.text.gguf;

import java.io.Serial;
import moxin.job.BadInputException;

/// A GGUF file whose header or metadata is not what it should be. The message is one line: file,
/// place, found, expected.
public final class GgufFormatException extends BadInputException {
  @Serial private static final long serialVersionUID = 1;

  public GgufFormatException(String message) {
    super(message.replaceAll("\\p{Cntrl}", "?"));
  }

  public GgufFormatException(String message, Throwable cause) {
    super(message.replaceAll("\\p{Cntrl}", "?"), cause);
  }
}
