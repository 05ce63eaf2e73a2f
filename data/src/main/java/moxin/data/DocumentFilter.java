package moxin.data;

import java.io.Serializable;

/// A rule that keeps or drops one document, looking at nothing else. Pure and thread-safe.
@FunctionalInterface
public interface DocumentFilter extends Serializable {

  /// Keeps `draft` or says why it is dropped.
  Verdict judge(Draft draft);

  /// What becomes of a document.
  sealed interface Verdict {

    /// It stays.
    record Keep() implements Verdict {}

    /// It goes; `reason` is a short constant such as `short-text` that reports count by.
    record Drop(String reason) implements Verdict {}

    /// The verdict of every rule that has nothing against a document.
    Verdict KEEP = new Keep();
  }
}
