package moxin.infer.constraint;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import moxin.testing.Seeded;
import moxin.testing.SharedData;
import moxin.text.Tokenizer;
import moxin.text.Tokenizers;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Constraints over a real vocabulary: bytes that are parts of characters, spaces spelled `▁`.
@Seeded
final class MistralVocabularyTest {
  private static final String SCHEMA =
      """
      {"type": "object", "required": ["name", "tags"], "properties": {
        "name": {"type": "string"}, "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "tags": {"type": "array", "items": {"type": "string"}},
        "parent": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}}""";

  private Tokenizer tokenizer;
  private TokenVocabulary vocabulary;

  @BeforeEach
  void load() throws Exception {
    tokenizer = Tokenizers.load(SharedData.require("tokenizer/mistral/tokenizer.model.v1"));
    vocabulary = TokenVocabulary.of(tokenizer, List.of(2));
  }

  @Test
  void tokenizedTextsOfTheLanguageAreAllowedTokenByToken() {
    for (JsonSpacing spacing : List.of(JsonSpacing.FLEXIBLE, JsonSpacing.SPACED)) {
      TokenConstraint constraint =
          TokenConstraint.of(Grammar.jsonSchema(SCHEMA, spacing), vocabulary);
      for (String text :
          List.of(
              "{\"name\": \"Zoë 日本 😀 ☃\", \"tags\": []}",
              "{\"name\": \"\", \"age\": 42, \"tags\": [\"a b\", \"\\n\\u00e9\"], \"parent\": null}",
              "{\"name\": \"x\", \"tags\": [], \"parent\": {\"name\": \"y\", \"tags\": [\"\"]}}")) {
        // In front of the whole text encoding puts a space that decoding leaves out.
        TokenConstraint.Matcher matcher = constraint.newMatcherAtStart();
        for (int id : tokenizer.encode(text)) {
          assertThat(allowed(matcher)).as(text).contains(id);
          matcher.accept(id);
        }
        assertThat(matcher.isComplete()).isTrue();
        assertThat(allowed(matcher)).containsExactly(2);
      }
    }
  }

  @Test
  void spacesInFrontCountInsideATextOnly() {
    TokenConstraint constraint = TokenConstraint.of(Grammar.regex("hello there"), vocabulary);
    int spaced = tokenizer.encode("hello")[0];
    assertThat(tokenizer.piece(spaced)).startsWith("▁h");
    assertThat(allowed(constraint.newMatcherAtStart())).contains(spaced);
    assertThat(allowed(constraint.newMatcher())).isNotEmpty().doesNotContain(spaced);
    assertThat(vocabulary.beginsText(tokenizer, new int[] {1})).isTrue();
    assertThat(vocabulary.beginsText(tokenizer, new int[] {1, spaced})).isFalse();
  }

  @Test
  void masksAreTheTokensThatCanBeAccepted(Random random) {
    for (String regex :
        List.of("(?: ?[\\wé日😀-😎]+,?)*\\n", "\\d{1,3}(?:,\\d{3})*", ".{0,30}", "[^a]{2,5}")) {
      TokenConstraint constraint = TokenConstraint.of(Grammar.regex(regex), vocabulary);
      TokenConstraint.Matcher matcher = constraint.newMatcher();
      StringBuilder bytes = new StringBuilder();
      for (int step = 0; step < 12 && !matcher.isExhausted(); step++) {
        BitSet accepted = new BitSet();
        for (int id = 0; id < tokenizer.vocabSize(); id++) {
          try {
            matcher.accept(id);
            matcher.rewind(1);
            accepted.set(id);
          } catch (IllegalArgumentException e) {
            assertThat(e).hasMessageContaining("cannot come next");
          }
        }
        List<Integer> allowed = allowed(matcher);
        assertThat(allowed).isEqualTo(accepted.stream().boxed().toList());
        allowed.removeIf(id -> id == 2);
        int id = allowed.get(random.nextInt(allowed.size()));
        matcher.accept(id);
        for (byte b : tokenizer.bytes(id)) {
          bytes.append((char) (b & 0xFF));
        }
      }
      if (matcher.isComplete()) {
        String text =
            new String(
                bytes.toString().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
        assertThat(text).matches(Pattern.compile(regex));
      }
    }
  }

  @Test
  void randomTextsParseAndSatisfyTheSchema(Random random) throws Exception {
    JsonMapper json = JsonMapper.builder().build();
    SchemaValidator validator = new SchemaValidator(json.readTree(SCHEMA));
    TokenConstraint constraint = TokenConstraint.of(Grammar.jsonSchema(SCHEMA), vocabulary);
    int finished = 0;
    for (int round = 0; round < 60; round++) {
      TokenConstraint.Matcher matcher = constraint.newMatcher();
      List<Integer> ids = new ArrayList<>(List.of(tokenizer.encode("x")[0]));
      while (ids.size() < 200 && !matcher.isExhausted()) {
        List<Integer> allowed = allowed(matcher);
        List<Integer> closing =
            allowed.stream().filter(id -> "\"}]".indexOf(first(tokenizer.piece(id))) >= 0).toList();
        List<Integer> choice = closing.isEmpty() || random.nextInt(4) > 0 ? allowed : closing;
        int id = choice.get(random.nextInt(choice.size()));
        matcher.accept(id);
        ids.add(id);
      }
      if (matcher.isComplete()) {
        String text = tokenizer.decode(ids.stream().mapToInt(id -> id).toArray());
        String answer = text.substring(tokenizer.decode(ids.getFirst()).length());
        assertThat(validator.isValid(json.readTree(answer))).as(answer).isTrue();
        finished++;
      }
    }
    assertThat(finished).isGreaterThan(20);
  }

  private static char first(String piece) {
    return piece.charAt(0);
  }

  @Test
  void threadsShareOneConstraint() throws Exception {
    TokenConstraint shared = TokenConstraint.of(Grammar.jsonSchema(SCHEMA), vocabulary);
    int[] ids = tokenizer.encode("{\"name\": \"Zoë 日本\", \"age\": 7, \"tags\": [\"a\", \"b c\"]}");
    List<List<Integer>> expected =
        masks(TokenConstraint.of(Grammar.jsonSchema(SCHEMA), vocabulary), ids);
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Callable<List<List<Integer>>>> tasks = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        tasks.add(() -> masks(shared, ids));
      }
      for (Future<List<List<Integer>>> result : threads.invokeAll(tasks)) {
        assertThat(result.get()).isEqualTo(expected);
      }
    }
  }

  private List<List<Integer>> masks(TokenConstraint constraint, int[] ids) {
    TokenConstraint.Matcher matcher = constraint.newMatcherAtStart();
    List<List<Integer>> masks = new ArrayList<>();
    for (int id : ids) {
      masks.add(allowed(matcher));
      matcher.accept(id);
    }
    return masks;
  }

  private List<Integer> allowed(TokenConstraint.Matcher matcher) {
    return Walks.allowed(matcher, vocabulary);
  }
}
