package moxin.data;

import java.io.Serial;
import moxin.job.BadInputException;

/// A corpus that cannot be prepared or read because of what was given. The message is one line that
/// says what was found and what to do.
public final class CorpusException extends BadInputException {
  @Serial private static final long serialVersionUID = 1;

  public CorpusException(String message) {
    super(message);
  }

  public CorpusException(String message, Throwable cause) {
    super(message, cause);
  }
}
