package moxin.infer;

import java.util.List;

/// How a text is continued.
///
/// @param maxNewTokens at most so many new tokens
/// @param stopStrings texts that end the answer and are not part of it
public record GenerationOptions(
    SamplingOptions sampling, int maxNewTokens, List<String> stopStrings) {

  public GenerationOptions {
    stopStrings = List.copyOf(stopStrings);
    if (maxNewTokens < 0) {
      throw new IllegalArgumentException("max new tokens must be at least 0: " + maxNewTokens);
    }
    if (stopStrings.stream().anyMatch(String::isEmpty)) {
      throw new IllegalArgumentException("a stop string is empty");
    }
  }

  /// Greedy, without stop strings.
  public static GenerationOptions greedy(int maxNewTokens) {
    return new GenerationOptions(SamplingOptions.greedy(), maxNewTokens, List.of());
  }
}
