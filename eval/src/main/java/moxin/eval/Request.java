package moxin.eval;

import java.util.List;

/// A question to a language model; [RequestRunner] answers it.
public sealed interface Request {

  /// How probable `continuation` is after `context`; answered by a [Response.Score].
  record LogLikelihood(String context, String continuation) implements Request {}

  /// How probable a whole text is from its first token on, in disjoint windows of the model's
  /// length; answered by a [Response.Score].
  record RollingLogLikelihood(String text) implements Request {}

  /// The greedy continuation of `context`; answered by a [Response.Text].
  ///
  /// @param stops strings that end the answer and are not part of it
  /// @param maxNewTokens positive
  record GenerateUntil(String context, List<String> stops, int maxNewTokens) implements Request {
    public GenerateUntil {
      stops = List.copyOf(stops);
      if (maxNewTokens <= 0) {
        throw new IllegalArgumentException("maxNewTokens must be positive, found " + maxNewTokens);
      }
    }
  }
}
