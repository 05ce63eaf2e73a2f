package moxin.infer.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;

/// A schema inside a JSON schema, with its place.
///
/// @param pointer where it stands, a JSON pointer (RFC 6901)
record SchemaNode(JsonNode json, String pointer) {
  private static final int MAX_COUNT = 100_000;

  /// Keywords that say nothing about what is valid.
  private static final Set<String> ANNOTATIONS =
      Set.of(
          "$schema",
          "$id",
          "$comment",
          "$anchor",
          "$defs",
          "definitions",
          "title",
          "description",
          "default",
          "examples",
          "deprecated",
          "readOnly",
          "writeOnly");

  static final Set<String> OBJECT =
      Set.of("properties", "patternProperties", "required", "additionalProperties");
  static final Set<String> ARRAY =
      Set.of("items", "prefixItems", "minItems", "maxItems", "uniqueItems");
  static final Set<String> STRING = Set.of("minLength", "maxLength", "pattern", "format");
  static final Set<String> NUMBER =
      Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf");

  /// Keywords that stand alone, with annotations at most.
  private static final Set<String> ALONE = Set.of("$ref", "anyOf", "oneOf", "allOf");

  private static final Set<String> LISTED = Set.of("type", "enum", "const");

  /// Checks every keyword of this schema, an object.
  ///
  /// @throws GrammarException if one is unknown, or stands beside one that it cannot
  void requireSupported() {
    for (String keyword : keywords()) {
      boolean known =
          Stream.of(ALONE, LISTED, OBJECT, ARRAY, STRING, NUMBER)
              .anyMatch(keywords -> keywords.contains(keyword));
      if (!known) {
        throw bad("the keyword '" + keyword + "' is not supported");
      }
    }
    keywords().stream()
        .filter(ALONE::contains)
        .findFirst()
        .ifPresent(alone -> requireOnly(alone, Set.of(alone)));
    if (has("enum") || has("const")) {
      requireOnly(has("enum") ? "enum" : "const", LISTED);
    }
  }

  private void requireOnly(String keyword, Set<String> allowed) {
    for (String other : keywords()) {
      if (!allowed.contains(other)) {
        throw bad("the keyword '" + other + "' is not supported beside '" + keyword + "'");
      }
    }
  }

  /// The keywords here that are not annotations.
  private List<String> keywords() {
    List<String> keywords = new ArrayList<>();
    json.fieldNames().forEachRemaining(keywords::add);
    keywords.removeAll(ANNOTATIONS);
    return keywords;
  }

  boolean has(String keyword) {
    return json.has(keyword);
  }

  boolean hasAny(Set<String> keywords) {
    return keywords.stream().anyMatch(this::has);
  }

  /// What stands under `key`, a keyword or a name or index under one.
  SchemaNode child(String key) {
    JsonNode child = json.isArray() ? json.get(Integer.parseInt(key)) : json.get(key);
    if (child == null) {
      throw bad("'" + key + "' is missing");
    }
    return new SchemaNode(child, pointer + "/" + key.replace("~", "~0").replace("/", "~1"));
  }

  /// The elements of the list under `keyword`; none without it.
  List<SchemaNode> list(String keyword) {
    if (!has(keyword)) {
      return List.of();
    }
    SchemaNode list = child(keyword);
    if (!list.json.isArray()) {
      throw list.bad("expected a list");
    }
    List<SchemaNode> elements = new ArrayList<>();
    for (int i = 0; i < list.json.size(); i++) {
      elements.add(list.child(Integer.toString(i)));
    }
    return elements;
  }

  /// As [#list], of texts.
  List<String> texts(String keyword) {
    return list(keyword).stream().map(SchemaNode::asText).toList();
  }

  private String asText() {
    if (!json.isTextual()) {
      throw bad("expected a text");
    }
    return json.textValue();
  }

  Optional<String> text(String keyword) {
    return has(keyword) ? Optional.of(child(keyword).asText()) : Optional.empty();
  }

  /// Whether `keyword` is there and true.
  boolean flag(String keyword) {
    if (!has(keyword)) {
      return false;
    }
    SchemaNode node = child(keyword);
    if (!node.json.isBoolean()) {
      throw node.bad("expected true or false");
    }
    return node.json.booleanValue();
  }

  OptionalInt count(String keyword) {
    if (!has(keyword)) {
      return OptionalInt.empty();
    }
    SchemaNode node = child(keyword);
    BigDecimal value = node.asNumber();
    if (value.signum() < 0
        || value.compareTo(BigDecimal.valueOf(MAX_COUNT)) > 0
        || value.stripTrailingZeros().scale() > 0) {
      throw node.bad("expected a whole number from 0 to " + MAX_COUNT);
    }
    return OptionalInt.of(value.intValue());
  }

  Optional<BigDecimal> number(String keyword) {
    return has(keyword) ? Optional.of(child(keyword).asNumber()) : Optional.empty();
  }

  private BigDecimal asNumber() {
    if (!json.isNumber()) {
      throw bad("expected a number");
    }
    return json.decimalValue();
  }

  GrammarException bad(String what) {
    return new GrammarException(
        "JSON schema at " + (pointer.isEmpty() ? "its root" : pointer) + ": " + what);
  }
}
