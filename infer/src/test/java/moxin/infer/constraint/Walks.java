package moxin.infer.constraint;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import moxin.infer.PieceTokenizer;
import moxin.infer.constraint.TokenConstraint.Matcher;
import moxin.text.Tokenizer;

/// Random texts of a constraint, and what a matcher allows.
final class Walks {

  private Walks() {}

  static TokenConstraint constraint(Grammar grammar, Tokenizer tokenizer) {
    return TokenConstraint.of(
        grammar, TokenVocabulary.of(tokenizer, List.of(tokenizer.endOfSequence().orElseThrow())));
  }

  /// The ids that `matcher` allows.
  static List<Integer> allowed(Matcher matcher, TokenVocabulary vocabulary) {
    long[] bits = new long[vocabulary.maskWords()];
    matcher.mask(bits);
    List<Integer> ids = new ArrayList<>();
    for (int id = 0; id < vocabulary.size(); id++) {
      if (((bits[id >>> 6] >>> id) & 1) != 0) {
        ids.add(id);
      }
    }
    return ids;
  }

  /// A random text of at most `maxTokens` tokens, if it came to an end.
  static Optional<String> randomText(
      TokenConstraint constraint, PieceTokenizer tokenizer, Random random, int maxTokens) {
    Matcher matcher = constraint.newMatcher();
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    for (int i = 0; i < maxTokens; i++) {
      List<Integer> allowed = allowed(matcher, constraint.vocabulary());
      boolean mayEnd = allowed.contains(1);
      int id =
          mayEnd && (allowed.size() == 1 || random.nextInt(4) == 0)
              ? 1
              : allowed.get(random.nextInt(allowed.size()));
      matcher.accept(id);
      if (id == 1) {
        return Optional.of(text.toString(StandardCharsets.UTF_8));
      }
      text.writeBytes(tokenizer.bytes(id));
    }
    return Optional.empty();
  }

  /// Whether `text` is in the language, byte by byte.
  static boolean accepts(TokenConstraint constraint, PieceTokenizer tokenizer, byte[] text) {
    Matcher matcher = constraint.newMatcher();
    for (byte b : text) {
      int id = 2 + (b & 0xFF);
      if (tokenizer.bytes(id)[0] != b) {
        throw new IllegalStateException("not a tokenizer with bytes");
      }
      try {
        matcher.accept(id);
      } catch (IllegalArgumentException e) {
        return false;
      }
    }
    return matcher.isComplete();
  }
}
