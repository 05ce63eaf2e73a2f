package moxin.text;

/// Decodes ids one by one without ever splitting a character. Mutable; for one thread.
///
/// The concatenation of everything returned equals [Tokenizer#decode] of all ids.
public interface TextStream {

  /// Takes the next id and returns the text that became certain, often empty.
  String next(int id);

  /// Returns what is left; incomplete bytes become U+FFFD.
  String finish();
}
