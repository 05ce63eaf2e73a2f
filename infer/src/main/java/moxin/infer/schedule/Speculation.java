package moxin.infer.schedule;

import moxin.model.LanguageModel;

/// Whether and how several tokens of a text are decoded in one pass.
public sealed interface Speculation {

  /// One token at a time.
  record None() implements Speculation {}

  /// Proposes what followed earlier in the prompt or the answer. The text of every seed is the one
  /// that is written without.
  ///
  /// @param longest the longest proposal, in tokens
  record PromptLookup(int longest) implements Speculation {
    public PromptLookup {
      requireLength(longest);
    }
  }

  /// Proposes what a smaller model with the same tokenizer would write.
  ///
  /// @param model is not closed by who uses it
  /// @param longest the longest proposal, in tokens
  record Model(LanguageModel model, int longest, Drafting drafting) implements Speculation {
    public Model {
      requireLength(longest);
    }
  }

  /// How the draft model proposes. Greedy texts are the same either way.
  enum Drafting {
    /// Its most probable tokens. The text of every seed is the one that is written without.
    MOST_PROBABLE,
    /// Tokens drawn from its distribution, of which more are accepted at high temperatures. What is
    /// drawn has the same distribution as without, but a seed may draw another text, which depends
    /// on the lengths of proposals and so on the speed of the machine.
    SAMPLED
  }

  static Speculation none() {
    return new None();
  }

  /// Prompt lookup with proposals of up to 16 tokens.
  static Speculation promptLookup() {
    return new PromptLookup(16);
  }

  /// The most probable tokens of `model`, up to 8 at a time.
  static Speculation draftModel(LanguageModel model) {
    return new Model(model, 8, Drafting.MOST_PROBABLE);
  }

  private static void requireLength(int longest) {
    if (longest < 1 || longest > 64) {
      throw new IllegalArgumentException(
          "proposals must have 1 to 64 tokens at most, found " + longest);
    }
  }
}
