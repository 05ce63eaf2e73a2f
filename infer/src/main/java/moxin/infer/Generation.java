package moxin.infer;

import java.util.List;

/// A finished generation.
///
/// @param promptIds the ids of the prompt
/// @param ids the new ids, without the one that ended the sequence
/// @param text the text of the new ids, up to a stop string
/// @param promptScores of the prompt's tokens from the second on; empty unless asked for
/// @param scores of `ids`, one each; empty unless asked for
public record Generation(
    int[] promptIds,
    int[] ids,
    String text,
    FinishReason reason,
    GenerationEvent.Timings timings,
    List<ScoredToken> promptScores,
    List<ScoredToken> scores) {

  public Generation {
    promptScores = List.copyOf(promptScores);
    scores = List.copyOf(scores);
  }

  /// Without scores.
  public Generation(
      int[] promptIds,
      int[] ids,
      String text,
      FinishReason reason,
      GenerationEvent.Timings timings) {
    this(promptIds, ids, text, reason, timings, List.of(), List.of());
  }
}
