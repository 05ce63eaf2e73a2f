package moxin.text.shard;

import java.io.Serial;
import moxin.job.BadInputException;

/// A token shard or its index that cannot be used. The message is one line: file, place, what was
/// found, what was expected.
public final class TokenShardFormatException extends BadInputException {
  @Serial private static final long serialVersionUID = 1;

  public TokenShardFormatException(String message) {
    super(message);
  }

  public TokenShardFormatException(String message, Throwable cause) {
    super(message, cause);
  }
}
