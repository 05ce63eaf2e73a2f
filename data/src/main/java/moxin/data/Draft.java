package moxin.data;

/// A document on its way through preparation.
///
/// @param id unique in the corpus and stable between runs, such as
///   `code:java.base/java/lang/String.java`
/// @param source the name of its source
/// @param form what kind of text it is; filters depend on it
/// @param splitKey all drafts made from one file share it, so that they fall on the same side of
///   the split and are never compared with each other
/// @param licence an SPDX expression, `NOASSERTION` where none could be told, `NONE` where the file
///   has none
public record Draft(
    String id, String source, Form form, String splitKey, String licence, String text) {

  /// What kind of text a document is.
  public enum Form {
    /// Source code.
    CODE,
    /// Natural language.
    PROSE,
    /// A question with its answer, see [moxin.data.source.JavadocQuestion].
    QUESTION
  }

  /// This draft with another text.
  public Draft withText(String text) {
    return new Draft(id, source, form, splitKey, licence, text);
  }
}
