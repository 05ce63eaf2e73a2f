package moxin.data;

import java.util.Locale;

/// The side of the corpus that a document is on.
public enum Split {
  TRAIN,
  VALIDATION;

  /// The name of the side's folder.
  public String folder() {
    return name().toLowerCase(Locale.ROOT);
  }
}
