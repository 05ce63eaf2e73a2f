package moxin.infer.schedule;

import java.util.Set;
import moxin.infer.Generator;
import moxin.model.ModelConfig;
import moxin.text.Tokenizer;

/// What the texts of one model have in common.
///
/// @param endIds the ids that end a text
/// @param contextLimit the longest text, in tokens
record Texts(Tokenizer tokenizer, Set<Integer> endIds, int contextLimit) {

  static Texts of(ModelConfig config, Tokenizer tokenizer) {
    return new Texts(
        tokenizer, Generator.endIds(config, tokenizer), Generator.contextLimit(config));
  }

  /// @throws IllegalArgumentException if there is no prompt, it does not fit in the context, or it
  ///   has an id outside the vocabulary
  void requirePrompt(int[] promptIds, int vocabSize) {
    if (promptIds.length == 0) {
      throw new IllegalArgumentException("the prompt has no tokens");
    }
    if (promptIds.length > contextLimit) {
      throw new IllegalArgumentException(
          "the prompt has " + promptIds.length + " tokens, the context " + contextLimit);
    }
    for (int id : promptIds) {
      if (id < 0 || id >= vocabSize) {
        throw new IllegalArgumentException(
            "token " + id + " is outside the vocabulary of " + vocabSize);
      }
    }
  }
}
