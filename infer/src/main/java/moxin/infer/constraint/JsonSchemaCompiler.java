package moxin.infer.constraint;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.BooleanNode;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// JSON schema (2020-12, and `definitions` of older drafts) as a grammar. Every text of the grammar
/// satisfies the schema; the other way round some valid texts are left out, so that a model is led
/// to one form:
///
/// - Properties come in the order in which the schema names them, then others. Where `properties`
///   are given there are others only if `additionalProperties` says so, and behind `prefixItems`
///   only if `items` says so.
/// - Without `type`, keywords of objects, arrays, strings or numbers imply it.
/// - Names that match two of `patternProperties` do not come, nor do others unless
///   `additionalProperties` says so.
/// - `oneOf` is a union, as `anyOf`. `allOf` has one schema. `$ref` stays inside the document.
/// - `uniqueItems` needs items of an `enum` of at most 10 values. `multipleOf` is any number for
///   integers, for `number` a whole one.
/// - Numbers have a bounded number of digits, and no exponent where they have bounds. Bounds of
///   `number` are whole; those of `integer` are any. Formats are `date`, `time`, `date-time`,
///   `uuid`.
/// - Unions, `$ref`, `enum` and `const` stand without other keywords but annotations and, for the
///   last two, `type`.
///
/// Everything else is an error that names the keyword and its place.
final class JsonSchemaCompiler {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final Set<String> TYPES =
      Set.of("object", "array", "string", "integer", "number", "boolean", "null");

  /// Values of arrays without repetitions, at most; twice as many states for each.
  private static final int MAX_DISTINCT = 10;

  private final SchemaNode root;
  private final JsonSpacing spacing;
  private final Map<String, Integer> rules = new HashMap<>();
  private final ArrayDeque<SchemaNode> open = new ArrayDeque<>();
  private final List<Grammar.Rule> compiled = new ArrayList<>();

  private JsonSchemaCompiler(JsonNode root, JsonSpacing spacing) {
    this.root = new SchemaNode(root, "");
    this.spacing = spacing;
  }

  static Grammar compile(String schema, JsonSpacing spacing) {
    JsonNode json;
    try {
      json = JSON.readTree(schema);
    } catch (JsonProcessingException e) {
      throw new GrammarException("JSON schema: not JSON: " + e.getOriginalMessage(), e);
    }
    return new JsonSchemaCompiler(json, spacing).grammar();
  }

  private Grammar grammar() {
    rule(root);
    while (!open.isEmpty()) {
      SchemaNode schema = open.remove();
      Nfa nfa = new Nfa();
      int start = nfa.newState();
      compiled.add(new Grammar.Rule(nfa, start, new Values(nfa).value(schema, start)));
    }
    return Grammar.of(compiled);
  }

  /// The number of the rule for `schema`. Rules are compiled in the order of their numbers.
  private int rule(SchemaNode schema) {
    Integer known = rules.putIfAbsent(schema.pointer(), rules.size());
    if (known != null) {
      return known;
    }
    open.add(schema);
    return rules.size() - 1;
  }

  /// The schema `true`; its place is no pointer, so that it is no other rule's.
  private static SchemaNode anything() {
    return new SchemaNode(BooleanNode.TRUE, "anything");
  }

  private SchemaNode target(SchemaNode schema) {
    String reference = schema.text("$ref").orElseThrow();
    if (!reference.startsWith("#")) {
      throw schema.bad("the $ref '" + reference + "' leaves the document");
    }
    try {
      String text =
          URLDecoder.decode(reference.substring(1).replace("+", "%2B"), StandardCharsets.UTF_8);
      JsonPointer pointer = JsonPointer.compile(text);
      JsonNode found = root.json().at(pointer);
      if (!found.isMissingNode()) {
        return new SchemaNode(found, pointer.toString());
      }
    } catch (IllegalArgumentException e) {
      throw new GrammarException(
          schema.bad("the $ref '" + reference + "' is no JSON pointer").getMessage(), e);
    }
    throw schema.bad("the $ref '" + reference + "' points nowhere");
  }

  /// Puts values into the automaton of one rule. Each method appends behind a state and returns
  /// where the value ends.
  private final class Values {
    private final Nfa nfa;
    private final JsonStrings strings;
    private final JsonNumbers numbers;

    Values(Nfa nfa) {
      this.nfa = nfa;
      this.strings = new JsonStrings(nfa);
      this.numbers = new JsonNumbers(nfa);
    }

    int value(SchemaNode schema, int from) {
      if (schema.json().isBoolean()) {
        return schema.json().booleanValue() ? any(from) : nfa.newState();
      }
      if (!schema.json().isObject()) {
        throw schema.bad("expected a schema");
      }
      schema.requireSupported();
      if (schema.has("$ref")) {
        return call(target(schema), from);
      }
      for (String union : List.of("anyOf", "oneOf", "allOf")) {
        if (schema.has(union)) {
          return union(schema, union, from);
        }
      }
      Set<String> types = types(schema);
      if (schema.has("enum") || schema.has("const")) {
        return listed(schema, types, from);
      }
      int end = nfa.newState();
      for (String type : types) {
        nfa.epsilon(typed(schema, type, from), end);
      }
      return end;
    }

    private int union(SchemaNode schema, String keyword, int from) {
      List<SchemaNode> options = schema.list(keyword);
      if (options.isEmpty() || (keyword.equals("allOf") && options.size() > 1)) {
        throw schema.bad("'" + keyword + "' of " + options.size() + " schemas is not supported");
      }
      int end = nfa.newState();
      for (SchemaNode option : options) {
        nfa.epsilon(value(option, from), end);
      }
      return end;
    }

    private int listed(SchemaNode schema, Set<String> types, int from) {
      List<SchemaNode> values = new ArrayList<>(schema.list("enum"));
      if (schema.has("const")) {
        SchemaNode only = schema.child("const");
        values.removeIf(value -> !value.json().equals(only.json()));
        if (!schema.has("enum")) {
          values.add(only);
        }
      }
      int end = nfa.newState();
      for (SchemaNode value : values) {
        if (!schema.has("type") || isOf(value.json(), types)) {
          nfa.epsilon(literal(value.json(), from), end);
        }
      }
      return end;
    }

    private boolean isOf(JsonNode value, Set<String> types) {
      return switch (value.getNodeType()) {
        case OBJECT -> types.contains("object");
        case ARRAY -> types.contains("array");
        case STRING -> types.contains("string");
        case BOOLEAN -> types.contains("boolean");
        case NULL -> types.contains("null");
        case NUMBER ->
            types.contains("number")
                || (types.contains("integer")
                    && value.decimalValue().stripTrailingZeros().scale() <= 0);
        case BINARY, MISSING, POJO -> false;
      };
    }

    private Set<String> types(SchemaNode schema) {
      if (!schema.has("type")) {
        return impliedTypes(schema);
      }
      List<String> named =
          schema.json().get("type").isTextual()
              ? List.of(schema.text("type").orElseThrow())
              : schema.texts("type");
      for (String type : named) {
        if (!TYPES.contains(type)) {
          throw schema.bad("the type '" + type + "' is none of JSON schema's");
        }
      }
      Set<String> types = new LinkedHashSet<>(named);
      if (types.contains("number")) {
        types.remove("integer");
      }
      return types;
    }

    private Set<String> impliedTypes(SchemaNode schema) {
      Set<String> types = new LinkedHashSet<>();
      Map.of(
              "object", SchemaNode.OBJECT,
              "array", SchemaNode.ARRAY,
              "string", SchemaNode.STRING,
              "number", SchemaNode.NUMBER)
          .forEach(
              (type, keywords) -> {
                if (schema.hasAny(keywords)) {
                  types.add(type);
                }
              });
      return types.isEmpty() ? Set.of("anything") : types;
    }

    private int typed(SchemaNode schema, String type, int from) {
      return switch (type) {
        case "object" -> object(schema, from);
        case "array" -> array(schema, from);
        case "string" -> strings.string(schema, from);
        case "integer" -> numbers.integer(schema, from);
        case "number" -> numbers.number(schema, from);
        case "boolean" -> {
          int end = nfa.newState();
          nfa.epsilon(text(from, "true"), end);
          nfa.epsilon(text(from, "false"), end);
          yield end;
        }
        case "null" -> text(from, "null");
        default -> call(anything(), from);
      };
    }

    /// The rule of any value is made of itself; elsewhere it is called.
    private int any(int from) {
      SchemaNode everything = new SchemaNode(JSON.createObjectNode(), "anything");
      int end = nfa.newState();
      for (String type : List.of("object", "array", "string", "number", "boolean", "null")) {
        nfa.epsilon(typed(everything, type, from), end);
      }
      return end;
    }

    private int call(SchemaNode schema, int from) {
      int to = nfa.newState();
      nfa.call(from, rule(schema), to);
      return to;
    }

    private int text(int from, String ascii) {
      return nfa.literal(from, ascii.getBytes(StandardCharsets.US_ASCII));
    }

    private int separator(int from) {
      return spacing.afterComma(nfa, text(from, ","));
    }

    private int close(int from, String bracket) {
      return text(spacing.insideBrackets(nfa, from), bracket);
    }

    private int array(SchemaNode schema, int from) {
      if (schema.flag("uniqueItems")) {
        return distinct(schema, from);
      }
      List<SchemaNode> first = schema.list("prefixItems");
      SchemaNode rest = schema.has("items") ? schema.child("items") : anything();
      boolean closed =
          schema.has("items") ? rest.json().equals(BooleanNode.FALSE) : !first.isEmpty();
      int min = schema.count("minItems").orElse(0);
      int max = schema.count("maxItems").orElse(Integer.MAX_VALUE);
      max = closed ? Math.min(max, first.size()) : max;
      if (min > max) {
        throw schema.bad("at least " + min + " but at most " + max + " items");
      }
      int end = nfa.newState();
      int at = spacing.insideBrackets(nfa, text(from, "["));
      int loop = Math.max(1, Math.max(min, first.size()));
      if (min == 0) {
        nfa.epsilon(text(at, "]"), end);
      }
      for (int i = 0; i < Math.min(loop, max) || (max < Integer.MAX_VALUE && i < max); i++) {
        int start = i == 0 ? at : separator(at);
        at = i < first.size() ? value(first.get(i), start) : call(rest, start);
        if (i + 1 >= min) {
          nfa.epsilon(close(at, "]"), end);
        }
      }
      if (max == Integer.MAX_VALUE) {
        int again = nfa.newState();
        nfa.epsilon(at, again);
        nfa.epsilon(call(rest, separator(again)), again);
        nfa.epsilon(close(again, "]"), end);
      }
      return end;
    }

    /// Arrays without repetitions, where the items are a list of values: the state is the set of
    /// those that have come.
    private int distinct(SchemaNode schema, int from) {
      List<JsonNode> values = distinctValues(schema);
      int min = schema.count("minItems").orElse(0);
      int max = Math.min(values.size(), schema.count("maxItems").orElse(values.size()));
      if (min > max) {
        throw schema.bad("at least " + min + " but at most " + max + " different items");
      }
      int[] after = new int[1 << values.size()];
      for (int set = 0; set < after.length; set++) {
        after[set] = nfa.newState();
      }
      int end = nfa.newState();
      int open = spacing.insideBrackets(nfa, text(from, "["));
      nfa.epsilon(open, after[0]);
      if (min == 0) {
        nfa.epsilon(text(open, "]"), end);
      }
      for (int set = 0; set < after.length; set++) {
        int count = Integer.bitCount(set);
        if (count > 0 && count >= min && count <= max) {
          nfa.epsilon(close(after[set], "]"), end);
        }
        if (count < max) {
          int item = count == 0 ? after[set] : separator(after[set]);
          for (int i = 0; i < values.size(); i++) {
            if ((set & (1 << i)) == 0) {
              nfa.epsilon(literal(values.get(i), item), after[set | (1 << i)]);
            }
          }
        }
      }
      return end;
    }

    private List<JsonNode> distinctValues(SchemaNode schema) {
      SchemaNode items = schema.has("items") ? schema.child("items") : anything();
      SchemaNode listed = items.has("$ref") ? target(items) : items;
      if (schema.has("prefixItems") || !listed.has("enum")) {
        throw schema.bad(
            "the keyword 'uniqueItems' is supported for items of an 'enum' without 'prefixItems'");
      }
      listed.requireSupported();
      Set<String> types = types(listed);
      List<JsonNode> values = new ArrayList<>();
      for (SchemaNode value : listed.list("enum")) {
        boolean wanted =
            (!listed.has("type") || isOf(value.json(), types))
                && (!listed.has("const") || value.json().equals(listed.json().get("const")));
        if (wanted && values.stream().noneMatch(known -> isSame(known, value.json()))) {
          values.add(value.json());
        }
      }
      if (values.size() > MAX_DISTINCT) {
        throw schema.bad(
            "the keyword 'uniqueItems' is supported for up to " + MAX_DISTINCT + " values");
      }
      return values;
    }

    /// Whether two values are the same: numbers by their value, 1 as 1.0.
    private static boolean isSame(JsonNode one, JsonNode other) {
      return one.equals(
          (a, b) ->
              a.isNumber() && b.isNumber()
                  ? a.decimalValue().compareTo(b.decimalValue())
                  : a.equals(b) ? 0 : 1,
          other);
    }

    /// Properties in order. In state `choose` the next may begin, after the bracket or a comma.
    private int object(SchemaNode schema, int from) {
      ObjectShape shape = new ObjectShape(schema, anything());
      List<String> names = shape.names();
      int end = nfa.newState();
      int choose = spacing.insideBrackets(nfa, text(from, "{"));
      if (shape.mayEndAfter(-1)) {
        nfa.epsilon(text(choose, "}"), end);
      }
      for (int i = 0; i < names.size(); i++) {
        String name = names.get(i);
        int key = spacing.afterColon(nfa, text(strings.literal(name, choose), ":"));
        int after = value(shape.property(name), key);
        int next = nfa.newState();
        if (!shape.isRequired(name)) {
          nfa.epsilon(choose, next);
        }
        nfa.epsilon(separator(after), next);
        if (shape.mayEndAfter(i)) {
          nfa.epsilon(close(after, "}"), end);
        }
        choose = next;
      }
      int other = nfa.newState();
      nfa.epsilon(choose, other);
      if (shape.patterns().isEmpty()) {
        shape
            .others()
            .ifPresent(rest -> other(strings.anyBut(shape.allNames(), other), rest, other, end));
        return end;
      }
      matching(shape, other, end);
      return end;
    }

    /// Properties by the patterns of their names. A name that matches two is left out: it would
    /// need both schemas at once.
    private void matching(ObjectShape shape, int other, int end) {
      List<SchemaNode> values = new ArrayList<>(shape.patterns().values());
      List<RegexNode> patterns =
          shape.patterns().entrySet().stream()
              .map(one -> JsonStrings.search(one.getKey(), one.getValue().pointer()))
              .toList();
      for (int i = 0; i < patterns.size(); i++) {
        if (!values.get(i).json().equals(BooleanNode.FALSE)) {
          int key = strings.matchingOnly(i, patterns, shape.allNames(), other);
          other(key, values.get(i), other, end);
        }
      }
      shape
          .others()
          .ifPresent(
              rest ->
                  other(
                      strings.matchingOnly(-1, patterns, shape.allNames(), other),
                      rest,
                      other,
                      end));
    }

    /// The value behind `key`, then the next property or the end.
    private void other(int key, SchemaNode value, int next, int end) {
      int after = call(value, spacing.afterColon(nfa, text(key, ":")));
      nfa.epsilon(separator(after), next);
      nfa.epsilon(close(after, "}"), end);
    }

    private int literal(JsonNode value, int from) {
      return switch (value.getNodeType()) {
        case STRING -> strings.literal(value.textValue(), from);
        case ARRAY -> {
          int at = spacing.insideBrackets(nfa, text(from, "["));
          for (int i = 0; i < value.size(); i++) {
            at = literal(value.get(i), i == 0 ? at : separator(at));
          }
          yield value.isEmpty() ? text(at, "]") : close(at, "]");
        }
        case OBJECT -> {
          int at = spacing.insideBrackets(nfa, text(from, "{"));
          boolean first = true;
          for (Map.Entry<String, JsonNode> property : value.properties()) {
            int name = strings.literal(property.getKey(), first ? at : separator(at));
            at = literal(property.getValue(), spacing.afterColon(nfa, text(name, ":")));
            first = false;
          }
          yield first ? text(at, "}") : close(at, "}");
        }
        case BINARY, BOOLEAN, MISSING, NULL, NUMBER, POJO -> text(from, value.toString());
      };
    }
  }
}
