package moxin.infer.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import moxin.infer.FinishReason;
import moxin.infer.Generation;
import moxin.infer.GenerationOptions;
import moxin.infer.Generator;
import moxin.infer.PieceTokenizer;
import moxin.infer.SamplingOptions;
import moxin.infer.ScriptedModel;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@Seeded
final class JsonSchemaGrammarTest {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final PieceTokenizer TOKENIZER =
      PieceTokenizer.withBytes(
          "{\"", "\":", "\": ", "\", \"", ",\"", "\"}", "}", "}}", "},", "]}", "}]", "[[", "],",
          "[{", "true", "nul", "l,", "12", "3.", "e1", "\":\"", "\"]", "\\u00", "é\"", "日", "😀",
          " 1", "0}", ", ", "\n  ", "null}", "1]]}", "\"},{\"", "a\":", "name", "\\\"");

  /// Normal logits, with ever more for what closes strings, lists and objects.
  private static ScriptedModel model(long seed) {
    return new ScriptedModel(
        TOKENIZER.vocabSize(),
        tokens -> {
          Random random = new Random(seed * 31 + Arrays.hashCode(tokens));
          float[] logits = new float[TOKENIZER.vocabSize()];
          for (int id = 0; id < logits.length; id++) {
            String piece = new String(TOKENIZER.bytes(id), StandardCharsets.ISO_8859_1);
            boolean closes = !piece.isEmpty() && "\"}]".indexOf(piece.charAt(0)) >= 0;
            logits[id] = (float) random.nextGaussian() * 2 + (closes ? tokens.length / 10f : 0);
          }
          return logits;
        });
  }

  @ParameterizedTest
  @EnumSource(JsonSpacing.class)
  void whateverTheModelSaysTheTextSatisfiesTheSchema(JsonSpacing spacing, Random random)
      throws Exception {
    RandomSchemas schemas = new RandomSchemas(random);
    int finished = 0;
    for (int round = 0; round < 120; round++) {
      ObjectNode schema = schemas.next();
      Grammar grammar;
      try {
        grammar = Grammar.jsonSchema(schema.toString(), spacing);
      } catch (GrammarException e) {
        assertThat(e.getMessage()).as("%s", schema).contains("no text satisfies");
        continue;
      }
      Generator generator = new Generator(model(random.nextLong()), TOKENIZER);
      TokenConstraint constraint = TokenConstraint.of(grammar, generator.vocabulary());
      SchemaValidator validator = new SchemaValidator(schema);
      for (int i = 0; i < 4; i++) {
        GenerationOptions options =
            new GenerationOptions(SamplingOptions.of(1, i), 250, List.of())
                .withConstraint(constraint);
        Generation generation = generator.generate("", options);
        if (generation.reason() == FinishReason.STOP) {
          JsonNode value = JSON.readTree(generation.text());
          assertThat(validator.isValid(value)).as("%s for %s", generation.text(), schema).isTrue();
          finished++;
        } else {
          assertThat(generation.reason()).isEqualTo(FinishReason.LENGTH);
        }
      }
    }
    assertThat(finished).isGreaterThan(200);
  }

  @Test
  void masksAndAcceptanceAgreeForEveryToken(Random random) {
    RandomSchemas schemas = new RandomSchemas(random);
    for (int round = 0; round < 60; round++) {
      String schema = schemas.next().toString();
      TokenConstraint constraint;
      try {
        constraint = Walks.constraint(Grammar.jsonSchema(schema), TOKENIZER);
      } catch (GrammarException e) {
        continue;
      }
      TokenConstraint.Matcher matcher = constraint.newMatcher();
      for (int step = 0; step < 40 && !matcher.isExhausted(); step++) {
        List<Integer> accepted = new ArrayList<>();
        for (int id = 0; id < TOKENIZER.vocabSize(); id++) {
          if (accepts(matcher, id)) {
            accepted.add(id);
            matcher.rewind(1);
          }
        }
        assertThat(Walks.allowed(matcher, constraint.vocabulary())).isEqualTo(accepted);
        accepted.removeIf(id -> id == 1);
        matcher.accept(accepted.get(random.nextInt(accepted.size())));
      }
    }
  }

  private static boolean accepts(TokenConstraint.Matcher matcher, int id) {
    try {
      matcher.accept(id);
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  @Test
  void tokensAcrossTheEndsOfNestedListsAreAllowedExactly(Random random) {
    List<byte[]> pieces = new ArrayList<>();
    addPieces("", 4, pieces);
    PieceTokenizer tokenizer = PieceTokenizer.of(pieces);
    String schema =
        """
        {"anyOf": [{"type": "array", "items": {"$ref": "#"}}, {"const": 1}]}""";
    TokenConstraint constraint =
        Walks.constraint(Grammar.jsonSchema(schema, JsonSpacing.COMPACT), tokenizer);
    for (int round = 0; round < 200; round++) {
      TokenConstraint.Matcher matcher = constraint.newMatcher();
      StringBuilder text = new StringBuilder();
      for (int step = 0; step < 12 && !matcher.isExhausted(); step++) {
        List<Integer> expected = new ArrayList<>();
        if (isNestedList(text.toString(), true)) {
          expected.add(1);
        }
        for (int id = 2; id < tokenizer.vocabSize(); id++) {
          if (isNestedList(text + tokenizer.decode(id), false)) {
            expected.add(id);
          }
        }
        assertThat(Walks.allowed(matcher, constraint.vocabulary()))
            .as("'%s'", text)
            .isEqualTo(expected);
        int id = expected.get(random.nextInt(expected.size()));
        matcher.accept(id);
        text.append(tokenizer.decode(id));
      }
    }
  }

  private static void addPieces(String begun, int length, List<byte[]> pieces) {
    for (String c : List.of("[", "]", ",", "1")) {
      pieces.add((begun + c).getBytes(StandardCharsets.UTF_8));
      if (length > 1) {
        addPieces(begun + c, length - 1, pieces);
      }
    }
  }

  /// Whether `text` is, or begins, a nested list of ones, by counting brackets.
  private static boolean isNestedList(String text, boolean whole) {
    int depth = 0;
    char before = ' ';
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean afterValue = before == '1' || before == ']';
      boolean fits =
          switch (c) {
            case '[', '1' -> before == '[' || before == ',' || before == ' ';
            case ',' -> afterValue && depth > 0;
            default -> (afterValue || before == '[') && depth > 0;
          };
      if (!fits) {
        return false;
      }
      depth += c == '[' ? 1 : c == ']' ? -1 : 0;
      before = c;
    }
    return !whole || (depth == 0 && before != ' ');
  }

  @Test
  void rulesThatBeginWithEachOtherStayExact() {
    String schema =
        """
        {"$ref": "#/$defs/a", "$defs": {
          "a": {"anyOf": [{"$ref": "#/$defs/b"}, {"const": "x"}]},
          "b": {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "array", "items": {"$ref": "#/$defs/b"},
                "maxItems": 2}]}}}""";
    TokenConstraint constraint =
        Walks.constraint(Grammar.jsonSchema(schema, JsonSpacing.COMPACT), TOKENIZER);
    for (String good : List.of("\"x\"", "[]", "[\"x\",[[],[]]]")) {
      assertThat(accepts(constraint, good)).as(good).isTrue();
    }
    for (String bad : List.of("\"y\"", "[[],[],[]]", "[\"x\"", "")) {
      assertThat(accepts(constraint, bad)).as(bad).isFalse();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{\"type\":\"integer\",\"minimum\":-12,\"maximum\":105} | -12 -1 0 9 99 105 | -13 106 -0 00 1.0",
        "{\"type\":\"number\",\"exclusiveMinimum\":0,\"maximum\":2} | 0.01 1 1.99 2 2.0 | 0 0.0 -1 2.01 3",
        "{\"type\":\"number\",\"minimum\":-1,\"exclusiveMaximum\":0} | -1 -1.0 -0.5 | 0 -0 -1.1",
        "{\"type\":\"string\",\"maxLength\":2} | \"\" \"é\" \"\\ud83d\\ude00\" \"\\n\\/\" | \"abc\" \"\\ud83d\" \"\\q\"",
        "{\"type\":\"string\",\"format\":\"date\"} | \"2024-02-28\" | \"2024-13-01\" \"x\"",
        "{\"const\":{\"a\":[1,\"b\"]}} | {\"a\":[1,\"b\"]} | {\"a\":[1]} {}",
        "{\"type\":[\"null\",\"boolean\"]} | null true | 1",
        "{\"required\":[\"a\"],\"additionalProperties\":{\"type\":\"null\"}} | {\"a\":null} {\"a\":null,\"b\":null} | {} {\"b\":null} {\"a\":null,\"a\":null}",
        "{\"properties\":{\"a\":{},\"b\":false}} | {} {\"a\":[{}]} | {\"b\":1} {\"c\":1} {\"a\":1,}",
        "{\"prefixItems\":[{\"const\":1},{\"const\":2}]} | [] [1] [1,2] | [2] [1,2,3]",
        "true | {\"a\":[1.5e3,{}]} \"x\" | {a} [1,]",
        "{\"type\":\"integer\",\"multipleOf\":7} | 0 7 -49 700 | 1 -8 07 7.0",
        "{\"type\":\"integer\",\"multipleOf\":2.5,\"minimum\":-12,\"maximum\":21}"
            + " | -10 -5 0 5 20 | -15 2 25 -0",
        "{\"multipleOf\":30,\"exclusiveMinimum\":30} | 60 90 3000 | 0 30 -60 61 60.5 6e1",
        "{\"type\":\"integer\",\"multipleOf\":0.01} | 0 1 -17 | 0.5",
        "{\"uniqueItems\":true,\"items\":{\"enum\":[1,\"a\",1.0,null]}}"
            + " | [] [1] [\"a\",1] [null,\"a\",1] | [1,1] [1,1.0] [2] [null,1,null]",
        "{\"uniqueItems\":true,\"minItems\":2,\"maxItems\":2,\"items\":{\"enum\":[3,2,1]}}"
            + " | [1,2] [3,1] | [] [1] [1,1] [1,2,3]",
        "{\"uniqueItems\":false,\"items\":{\"const\":1}} | [] [1,1] | [2]",
        "{\"patternProperties\":{\"^n\":{\"const\":1},\"s$\":{\"const\":2}}}"
            + " | {} {\"n\":1} {\"xs\":2,\"na\":1,\"nb\":1} | {\"n\":2} {\"ns\":1} {\"x\":1}",
        "{\"properties\":{\"a\":{\"const\":0}},\"patternProperties\":{\"[0-9]\":false,\"é\":true},"
            + "\"additionalProperties\":{\"const\":3}}"
            + " | {\"a\":0,\"b\":3,\"xé\":\"q\"} {\"b\":3} | {\"a\":3} {\"b1\":3} {\"b\":0}",
      })
  void valuesAreRightOrWrong(String schema, String good, String bad) {
    TokenConstraint constraint =
        Walks.constraint(Grammar.jsonSchema(schema, JsonSpacing.COMPACT), TOKENIZER);
    for (String text : good.split(" ", -1)) {
      assertThat(accepts(constraint, text)).as(text).isTrue();
    }
    for (String text : bad.split(" ", -1)) {
      assertThat(accepts(constraint, text)).as(text).isFalse();
    }
  }

  private static boolean accepts(TokenConstraint constraint, String text) {
    return Walks.accepts(constraint, TOKENIZER, text.getBytes(StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{\"properties\":{\"x\":{\"multipleOf\":0.3}}} | /properties/x/multipleOf | fraction",
        "{\"type\":\"integer\",\"multipleOf\":0} | /multipleOf | above 0",
        "{\"type\":\"integer\",\"multipleOf\":10001} | /multipleOf | 10000",
        "{\"type\":\"integer\",\"multipleOf\":1e999999999} | /multipleOf | 16 digits",
        "{\"not\":{\"type\":\"null\"}} | root | 'not'",
        "{\"uniqueItems\":1} | /uniqueItems | true or false",
        "{\"patternProperties\":{\"a\":{},\"(\":{}}} | /patternProperties/( | (",
        "{\"properties\":{\"xa\":{}},\"patternProperties\":{\"a\":{}}} | /properties | 'xa'",
        "{\"required\":[\"xa\"],\"patternProperties\":{\"a\":{}}} | root | 'xa'",
        "{\"type\":\"array\",\"uniqueItems\":true} | root | uniqueItems",
        "{\"anyOf\":[{\"type\":\"null\"}],\"minLength\":1} | root | minLength",
        "{\"$ref\":\"http://example.org/x\"} | root | leaves the document",
        "{\"items\":{\"$ref\":\"#/nowhere\"}} | /items | points nowhere",
        "{\"type\":\"text\"} | root | 'text'",
        "{\"allOf\":[{},{}]} | root | allOf",
        "{\"format\":\"email\"} | root | email",
        "{\"minimum\":0.5} | root | whole",
        "{\"pattern\":\"(?=a)\"} | /pattern | (?",
        "{\"minLength\":3,\"maxLength\":2} | root | minLength",
        "{\"type\":\"integer\",\"minimum\":3,\"maximum\":2} | root | integer",
        "{\"required\":[\"a\"],\"properties\":{\"a\":{\"$ref\":\"#\"}}} | grammar | no text",
        "{\"properties\":[]} | /properties | object",
        "{\"minItems\":-1} | /minItems | whole number",
        "[1] | root | schema",
        "{\"a\" | not JSON | JSON",
      })
  void whatIsNotSupportedSaysWhatAndWhere(String schema, String where, String what) {
    assertThatThrownBy(() -> Grammar.jsonSchema(schema))
        .isInstanceOf(GrammarException.class)
        .hasMessageContaining(where)
        .hasMessageContaining(what);
  }

  @Test
  void mutatedSchemasAreTypedErrorsOrGrammars(Random random) {
    int failures = 0;
    for (int round = 0; round < 1500; round++) {
      StringBuilder schema = new StringBuilder(new RandomSchemas(random).next().toString());
      for (int n = random.nextInt(4); n > 0; n--) {
        int at = random.nextInt(schema.length());
        schema.setCharAt(at, schema.charAt(random.nextInt(schema.length())));
      }
      try {
        assertThat(Grammar.jsonSchema(schema.toString()).stateCount()).isPositive();
      } catch (GrammarException e) {
        assertThat(e.getMessage().lines().count()).isEqualTo(1);
        failures++;
      }
    }
    assertThat(failures).isBetween(300, 1490);
  }
}
