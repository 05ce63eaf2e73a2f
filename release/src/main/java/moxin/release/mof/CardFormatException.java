package moxin.release.mof;

import java.io.Serial;
import moxin.job.BadInputException;
import org.jspecify.annotations.Nullable;

/// A card that is no Model Openness Tool card. The message says file, place, found and expected.
public final class CardFormatException extends BadInputException {
  @Serial private static final long serialVersionUID = 1;

  public CardFormatException(String message) {
    super(message);
  }

  public CardFormatException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
