package moxin.infer;

import java.util.List;

/// A token of a sequence with what the model thought of it and of its rivals.
///
/// @param token the token itself
/// @param top the most probable tokens at its place, best first, lower ids first on ties; the token
///   is among them only if it is one
public record ScoredToken(Candidate token, List<Candidate> top) {

  public ScoredToken {
    top = List.copyOf(top);
  }

  /// A token and its probability.
  ///
  /// @param piece how the vocabulary spells it
  /// @param bytes what it adds to the text, see [moxin.text.Tokenizer#bytes]
  /// @param logProbability the natural logarithm of its probability under the model: softmax of the
  ///   logits as they are, before penalties, bias, temperature, truncation and constraint
  public record Candidate(int id, String piece, byte[] bytes, double logProbability) {}
}
