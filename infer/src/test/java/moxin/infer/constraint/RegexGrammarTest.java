package moxin.infer.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Pattern;
import moxin.infer.PieceTokenizer;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Regular expressions against `java.util.regex`, in both directions.
@Seeded
final class RegexGrammarTest {
  private static final PieceTokenizer TOKENIZER =
      PieceTokenizer.withBytes("ab", "ba", "aab", "é", "日本", "12", "0.", "é1", " a", "\n\n", "😀");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(a|ab)(c|bcd)(d*)",
        "\\d{3}-\\d{4}",
        "[^a-c\\s]{1,3}x?",
        "(?:é|日本|😀)+",
        ".{0,3}",
        "^\\w+@\\w+\\.(?:com|org)$",
        "(a*)*b|c{2,}",
        "[\\x41-\\x5A\\u00e0-\\u00ff]+?",
        "(?:0|[1-9]\\d*)(?:\\.\\d+)?",
        "|a|b{0}",
        "\\[[\\]\\-\\\\]*\\]",
        "[😀-😎é]{2}",
        "\\D\\W\\S",
        "[-a][b-]"
      })
  void sampledTextsMatchAsAWhole(String regex, Random random) {
    TokenConstraint constraint = Walks.constraint(Grammar.regex(regex), TOKENIZER);
    Pattern pattern = Pattern.compile(regex);
    int ended = 0;
    for (int i = 0; i < 200; i++) {
      Optional<String> text = Walks.randomText(constraint, TOKENIZER, random, 60);
      text.ifPresent(found -> assertThat(found).matches(pattern));
      ended += text.isPresent() ? 1 : 0;
    }
    assertThat(ended).isGreaterThan(30);
  }

  @Test
  void randomExpressionsAgreeOnRandomTexts(Random random) {
    int matches = 0;
    for (int round = 0; round < 400; round++) {
      String regex = expression(random, 3);
      TokenConstraint constraint = Walks.constraint(Grammar.regex(regex), TOKENIZER);
      Pattern pattern = Pattern.compile(regex);
      for (int i = 0; i < 30; i++) {
        String text =
            random.nextBoolean()
                ? Walks.randomText(constraint, TOKENIZER, random, 12).orElse("b")
                : text(random);
        boolean expected = pattern.matcher(text).matches();
        assertThat(Walks.accepts(constraint, TOKENIZER, text.getBytes(StandardCharsets.UTF_8)))
            .as("/%s/ on '%s'", regex, text)
            .isEqualTo(expected);
        matches += expected ? 1 : 0;
      }
    }
    assertThat(matches).isBetween(1000, 11_000);
  }

  private static String text(Random random) {
    StringBuilder text = new StringBuilder();
    for (int n = random.nextInt(6); n > 0; n--) {
      text.append(List.of("a", "b", "c", "é", "1", " ", "\n", "😀").get(random.nextInt(8)));
    }
    return text.toString();
  }

  private static String expression(Random random, int depth) {
    if (depth == 0 || random.nextInt(4) == 0) {
      return List.of("a", "b", "é", "[a-c]", "[^ab]", ".", "\\d", "\\s", "\\W", "😀")
          .get(random.nextInt(10));
    }
    List<String> parts = new ArrayList<>();
    for (int n = 1 + random.nextInt(3); n > 0; n--) {
      parts.add(expression(random, depth - 1));
    }
    return switch (random.nextInt(4)) {
      case 0 -> "(" + String.join("|", parts) + ")";
      case 1 -> String.join("", parts);
      case 2 ->
          "(?:"
              + String.join("", parts)
              + ")"
              + List.of("*", "+", "?", "{2}", "{1,3}", "{2,}").get(random.nextInt(6));
      default -> "(?:" + String.join("", parts) + "|" + parts.getFirst() + ")";
    };
  }

  @Test
  void exactlyTheTokensThatKeepATextCompletableAreAllowed(Random random) {
    List<byte[]> pieces = new ArrayList<>();
    List<String> texts = new ArrayList<>();
    addTexts("", 4, texts);
    texts.stream()
        .filter(text -> !text.isEmpty() && text.length() <= 3)
        .forEach(text -> pieces.add(text.getBytes(StandardCharsets.UTF_8)));
    pieces.add(new byte[] {(byte) 0xC3});
    PieceTokenizer tokenizer = PieceTokenizer.of(pieces);
    for (String regex :
        List.of("(ab|a)(c|bc)?", "a?b?c?a?", "(?:ab|bc|ca){1,2}", "[ab]{2}c|b", "é?[^a-z]{1,2}a")) {
      Pattern pattern = Pattern.compile(regex);
      List<String> language =
          texts.stream().filter(text -> pattern.matcher(text).matches()).toList();
      TokenConstraint constraint = Walks.constraint(Grammar.regex(regex), tokenizer);
      for (String whole : language) {
        String begun = whole.substring(0, random.nextInt(whole.length() + 1));
        TokenConstraint.Matcher matcher = constraint.newMatcher();
        for (int id : tokenizer.encode(begun)) {
          matcher.accept(id);
        }
        List<Integer> allowed = Walks.allowed(matcher, constraint.vocabulary());
        for (int id = 2; id < tokenizer.vocabSize() - 1; id++) {
          String next = begun + tokenizer.decode(id);
          if (next.length() <= 4) {
            assertThat(allowed.contains(id))
                .as("/%s/: '%s'", regex, next)
                .isEqualTo(language.stream().anyMatch(text -> text.startsWith(next)));
          }
        }
        assertThat(allowed.contains(1)).isEqualTo(language.contains(begun));
        assertThat(matcher.isComplete()).isEqualTo(language.contains(begun));
      }
    }
  }

  /// All texts over a small alphabet of at most `length` characters.
  private static void addTexts(String begun, int length, List<String> texts) {
    texts.add(begun);
    if (length > 0) {
      for (String c : List.of("a", "b", "c", "é")) {
        addTexts(begun + c, length - 1, texts);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(",
        ")",
        "a)",
        "[a",
        "[]",
        "a**",
        "a{2}{3}",
        "*a",
        "a{2,1}",
        "a{,2}",
        "a++",
        "(?=a)",
        "(?<n>a)",
        "\\1",
        "\\b",
        "\\p{L}",
        "a^b",
        "(^a)",
        "a$b",
        "[a-\\d]",
        "[b-a]",
        "[[a]]",
        "[a&&b]",
        "\\xZZ",
        "\\u12",
        "a{1000000}",
        "(?:a{1000}){100000}",
        "\\"
      })
  void whatIsNotSupportedIsOneLine(String regex) {
    assertThatThrownBy(() -> Grammar.regex(regex))
        .isInstanceOf(GrammarException.class)
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"));
  }

  @Test
  void exponentialAutomataAreRefusedInTime() {
    assertThatThrownBy(() -> Grammar.regex("(?:a|b)*a(?:a|b){30}c"))
        .isInstanceOf(GrammarException.class);
  }

  @Test
  void whatMustFollowIsForced() {
    TokenConstraint constraint = Walks.constraint(Grammar.regex("name: (?:ab|ac)d?"), TOKENIZER);
    TokenConstraint.Matcher matcher = constraint.newMatcher();
    assertThat(new String(matcher.forcedBytes(), StandardCharsets.UTF_8)).isEqualTo("name: a");
    for (int id : TOKENIZER.encode("name: ab")) {
      matcher.accept(id);
    }
    assertThat(matcher.forcedBytes()).isEmpty();
    assertThat(matcher.isComplete()).isTrue();
    assertThat(matcher.isExhausted()).isFalse();
    matcher.accept(TOKENIZER.encode("d")[0]);
    assertThat(matcher.isExhausted()).isTrue();
  }

  @Test
  void rewindingForgetsTokens(Random random) {
    TokenConstraint constraint =
        Walks.constraint(Grammar.regex("(?:ab|ba|aab){2,6}\\d*"), TOKENIZER);
    TokenConstraint.Matcher matcher = constraint.newMatcher();
    List<List<Integer>> masks = new ArrayList<>();
    for (int round = 0; round < 500; round++) {
      List<Integer> allowed = Walks.allowed(matcher, constraint.vocabulary());
      masks.add(allowed);
      if (allowed.isEmpty() || random.nextInt(3) == 0) {
        int back = random.nextInt(masks.size());
        matcher.rewind(back);
        masks.subList(masks.size() - back, masks.size()).clear();
        assertThat(Walks.allowed(matcher, constraint.vocabulary())).isEqualTo(masks.getLast());
        masks.removeLast();
      } else {
        matcher.accept(allowed.get(random.nextInt(allowed.size())));
      }
    }
    assertThatThrownBy(() -> matcher.rewind(1000)).isInstanceOf(IllegalArgumentException.class);
  }
}
