package moxin.infer;

import java.time.Duration;
import java.util.List;

/// What a generation tells while it runs: any number of texts and scores, then one end.
public sealed interface GenerationEvent {

  /// More text, never empty.
  record TextDelta(String text) implements GenerationEvent {}

  /// Scores of the next tokens of the prompt, where asked for. Together all but the first token's.
  record PromptScored(List<ScoredToken> tokens) implements GenerationEvent {
    public PromptScored {
      tokens = List.copyOf(tokens);
    }
  }

  /// The score of a new token, where asked for; comes before its text.
  record TokenScored(ScoredToken token) implements GenerationEvent {}

  /// The end.
  record Finished(FinishReason reason, Timings timings) implements GenerationEvent {}

  /// How long it took.
  ///
  /// @param promptTokens tokens ingested as prompt in `prefill`
  /// @param newTokens tokens drawn in `decode`
  record Timings(int promptTokens, Duration prefill, int newTokens, Duration decode) {

    public double prefillTokensPerSecond() {
      return perSecond(promptTokens, prefill);
    }

    public double decodeTokensPerSecond() {
      return perSecond(newTokens, decode);
    }

    private static double perSecond(int tokens, Duration time) {
      return time.isZero() ? 0 : tokens * 1e9 / time.toNanos();
    }
  }
}
