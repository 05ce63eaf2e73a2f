package moxin.infer;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;
import moxin.infer.constraint.TokenConstraint;

/// How a text is continued.
///
/// @param maxNewTokens at most so many new tokens
/// @param minNewTokens as long as there are fewer, no end-of-sequence and no stop token is drawn
/// @param stopStrings texts that end the answer and are not part of it
/// @param stopTokens ids that end the answer, like the end of the sequence, and are not part of it
/// @param endOfSequence what end-of-sequence ids do
/// @param logProbabilities how many rivals are told for each new token; absent: no scores
/// @param promptLogProbabilities how many rivals are told for each token of the prompt after the
///   first; absent: no scores
/// @param constraint what the answer must look like; it is whole only if the reason is
///   [FinishReason#STOP] and no stop string ended it
public record GenerationOptions(
    SamplingOptions sampling,
    int maxNewTokens,
    int minNewTokens,
    List<String> stopStrings,
    Set<Integer> stopTokens,
    EndOfSequence endOfSequence,
    OptionalInt logProbabilities,
    OptionalInt promptLogProbabilities,
    Optional<TokenConstraint> constraint) {

  /// The most rivals that can be asked for.
  public static final int MAX_RIVALS = 1000;

  /// What end-of-sequence ids do.
  public enum EndOfSequence {
    /// They end the answer.
    STOPS,
    /// They are never drawn.
    IGNORED
  }

  public GenerationOptions {
    stopStrings = List.copyOf(stopStrings);
    stopTokens = Set.copyOf(stopTokens);
    if (maxNewTokens < 0) {
      throw new IllegalArgumentException("max new tokens must be at least 0: " + maxNewTokens);
    }
    if (minNewTokens < 0) {
      throw new IllegalArgumentException("min new tokens must be at least 0: " + minNewTokens);
    }
    if (stopStrings.stream().anyMatch(String::isEmpty)) {
      throw new IllegalArgumentException("a stop string is empty");
    }
    IntStream.concat(logProbabilities.stream(), promptLogProbabilities.stream())
        .filter(count -> count < 0 || count > MAX_RIVALS)
        .forEach(
            count -> {
              throw new IllegalArgumentException(
                  "log-probabilities must be for 0 to " + MAX_RIVALS + " rivals, found " + count);
            });
  }

  /// Without minimum, stop tokens, scores and constraint.
  public GenerationOptions(SamplingOptions sampling, int maxNewTokens, List<String> stopStrings) {
    this(
        sampling,
        maxNewTokens,
        0,
        stopStrings,
        Set.of(),
        EndOfSequence.STOPS,
        OptionalInt.empty(),
        OptionalInt.empty(),
        Optional.empty());
  }

  /// Greedy, without stop strings.
  public static GenerationOptions greedy(int maxNewTokens) {
    return new GenerationOptions(SamplingOptions.greedy(), maxNewTokens, List.of());
  }

  /// Checks that every id named here is in the vocabulary.
  ///
  /// @throws IllegalArgumentException if one is not, or the constraint is for another vocabulary
  public void requireVocabulary(int vocabSize) {
    IntStream.concat(
            stopTokens.stream().mapToInt(id -> id),
            sampling.logitBias().keySet().stream().mapToInt(id -> id))
        .filter(id -> id < 0 || id >= vocabSize)
        .forEach(
            id -> {
              throw new IllegalArgumentException(
                  "token id " + id + " is not in [0, " + vocabSize + ")");
            });
    if (constraint.isPresent() && constraint.get().vocabulary().size() > vocabSize) {
      throw new IllegalArgumentException("the constraint is for another vocabulary");
    }
  }

  /// These options with `maxNewTokens`.
  public GenerationOptions withMaxNewTokens(int maxNewTokens) {
    return new GenerationOptions(
        sampling,
        maxNewTokens,
        minNewTokens,
        stopStrings,
        stopTokens,
        endOfSequence,
        logProbabilities,
        promptLogProbabilities,
        constraint);
  }

  /// These options with `minNewTokens`.
  public GenerationOptions withMinNewTokens(int minNewTokens) {
    return new GenerationOptions(
        sampling,
        maxNewTokens,
        minNewTokens,
        stopStrings,
        stopTokens,
        endOfSequence,
        logProbabilities,
        promptLogProbabilities,
        constraint);
  }

  /// These options with `stopTokens`.
  public GenerationOptions withStopTokens(Set<Integer> stopTokens) {
    return new GenerationOptions(
        sampling,
        maxNewTokens,
        minNewTokens,
        stopStrings,
        stopTokens,
        endOfSequence,
        logProbabilities,
        promptLogProbabilities,
        constraint);
  }

  /// These options with `endOfSequence`.
  public GenerationOptions withEndOfSequence(EndOfSequence endOfSequence) {
    return new GenerationOptions(
        sampling,
        maxNewTokens,
        minNewTokens,
        stopStrings,
        stopTokens,
        endOfSequence,
        logProbabilities,
        promptLogProbabilities,
        constraint);
  }

  /// These options with scores of new tokens and `rivals` rivals of each.
  public GenerationOptions withLogProbabilities(int rivals) {
    return new GenerationOptions(
        sampling,
        maxNewTokens,
        minNewTokens,
        stopStrings,
        stopTokens,
        endOfSequence,
        OptionalInt.of(rivals),
        promptLogProbabilities,
        constraint);
  }

  /// These options with scores of the prompt's tokens and `rivals` rivals of each.
  public GenerationOptions withPromptLogProbabilities(int rivals) {
    return new GenerationOptions(
        sampling,
        maxNewTokens,
        minNewTokens,
        stopStrings,
        stopTokens,
        endOfSequence,
        logProbabilities,
        OptionalInt.of(rivals),
        constraint);
  }

  /// These options with `constraint`.
  public GenerationOptions withConstraint(TokenConstraint constraint) {
    return new GenerationOptions(
        sampling,
        maxNewTokens,
        minNewTokens,
        stopStrings,
        stopTokens,
        endOfSequence,
        logProbabilities,
        promptLogProbabilities,
        Optional.of(constraint));
  }
}
