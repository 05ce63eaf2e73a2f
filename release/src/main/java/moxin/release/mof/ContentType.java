package moxin.release.mof;

import java.util.Locale;

/// What a component is made of, which decides the licences that suit it.
public enum ContentType {
  CODE,
  DATA,
  DOCUMENT;

  /// The name in cards and licence lists.
  public String key() {
    return name().toLowerCase(Locale.ROOT);
  }
}
