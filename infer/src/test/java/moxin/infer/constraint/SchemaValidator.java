package moxin.infer.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// JSON schema validation as the specification reads, keyword by keyword, over parsed values. Knows
/// nothing of automata; `oneOf` counts as `anyOf`.
final class SchemaValidator {
  private final JsonNode root;

  SchemaValidator(JsonNode root) {
    this.root = root;
  }

  boolean isValid(JsonNode value) {
    return isValid(root, value);
  }

  private boolean isValid(JsonNode schema, JsonNode value) {
    if (schema.isBoolean()) {
      return schema.booleanValue();
    }
    for (Map.Entry<String, JsonNode> keyword : schema.properties()) {
      if (!holds(keyword.getKey(), keyword.getValue(), schema, value)) {
        return false;
      }
    }
    return true;
  }

  private boolean holds(String keyword, JsonNode rule, JsonNode schema, JsonNode value) {
    return switch (keyword) {
      case "$ref" -> isValid(root.at(rule.textValue().substring(1)), value);
      case "anyOf", "oneOf" -> elements(rule).stream().anyMatch(option -> isValid(option, value));
      case "allOf" -> elements(rule).stream().allMatch(option -> isValid(option, value));
      case "type" ->
          rule.isTextual()
              ? isOfType(rule.textValue(), value)
              : elements(rule).stream().anyMatch(type -> isOfType(type.textValue(), value));
      case "enum" -> elements(rule).stream().anyMatch(listed -> equal(listed, value));
      case "const" -> equal(rule, value);
      case "required" ->
          !value.isObject() || elements(rule).stream().allMatch(n -> value.has(n.textValue()));
      case "properties" ->
          !value.isObject()
              || rule.properties().stream()
                  .filter(property -> value.has(property.getKey()))
                  .allMatch(p -> isValid(p.getValue(), value.get(p.getKey())));
      case "additionalProperties" ->
          !value.isObject()
              || value.properties().stream()
                  .filter(property -> !schema.path("properties").has(property.getKey()))
                  .filter(property -> !matchesAny(schema, property.getKey()))
                  .allMatch(property -> isValid(rule, property.getValue()));
      case "patternProperties" ->
          !value.isObject()
              || rule.properties().stream()
                  .allMatch(
                      pattern ->
                          value.properties().stream()
                              .filter(one -> find(pattern.getKey(), one.getKey()))
                              .allMatch(one -> isValid(pattern.getValue(), one.getValue())));
      case "uniqueItems" -> !rule.booleanValue() || !value.isArray() || isDistinct(value);
      case "multipleOf" ->
          !value.isNumber() || value.decimalValue().remainder(rule.decimalValue()).signum() == 0;
      case "prefixItems", "items" -> !value.isArray() || items(keyword, rule, schema, value);
      case "minItems" -> !value.isArray() || value.size() >= rule.intValue();
      case "maxItems" -> !value.isArray() || value.size() <= rule.intValue();
      case "minLength" -> !value.isTextual() || length(value) >= rule.intValue();
      case "maxLength" -> !value.isTextual() || length(value) <= rule.intValue();
      case "pattern" ->
          !value.isTextual() || Pattern.compile(rule.textValue()).matcher(value.textValue()).find();
      case "minimum" -> !value.isNumber() || compare(value, rule) >= 0;
      case "maximum" -> !value.isNumber() || compare(value, rule) <= 0;
      case "exclusiveMinimum" -> !value.isNumber() || compare(value, rule) > 0;
      case "exclusiveMaximum" -> !value.isNumber() || compare(value, rule) < 0;
      case "$defs", "title", "description" -> true;
      default -> throw new IllegalStateException(keyword);
    };
  }

  private static boolean matchesAny(JsonNode schema, String name) {
    return schema.path("patternProperties").properties().stream()
        .anyMatch(pattern -> find(pattern.getKey(), name));
  }

  private static boolean find(String pattern, String name) {
    return Pattern.compile(pattern).matcher(name).find();
  }

  private static boolean isDistinct(JsonNode array) {
    for (int i = 0; i < array.size(); i++) {
      for (int j = 0; j < i; j++) {
        if (equal(array.get(i), array.get(j))) {
          return false;
        }
      }
    }
    return true;
  }

  private boolean items(String keyword, JsonNode rule, JsonNode schema, JsonNode value) {
    int first = schema.path("prefixItems").size();
    for (int i = 0; i < value.size(); i++) {
      if (keyword.equals("prefixItems") && i < first && !isValid(rule.get(i), value.get(i))) {
        return false;
      }
      if (keyword.equals("items") && i >= first && !isValid(rule, value.get(i))) {
        return false;
      }
    }
    return true;
  }

  private static boolean isOfType(String type, JsonNode value) {
    return switch (type) {
      case "object" -> value.isObject();
      case "array" -> value.isArray();
      case "string" -> value.isTextual();
      case "number" -> value.isNumber();
      case "integer" -> value.isNumber() && value.decimalValue().stripTrailingZeros().scale() <= 0;
      case "boolean" -> value.isBoolean();
      default -> value.isNull();
    };
  }

  private static boolean equal(JsonNode a, JsonNode b) {
    return (a.isNumber() && b.isNumber()) ? compare(a, b) == 0 : a.equals(b);
  }

  private static int compare(JsonNode a, JsonNode b) {
    BigDecimal left = a.decimalValue();
    return left.compareTo(b.decimalValue());
  }

  private static int length(JsonNode text) {
    return text.textValue().codePointCount(0, text.textValue().length());
  }

  private static List<JsonNode> elements(JsonNode list) {
    List<JsonNode> elements = new ArrayList<>();
    list.elements().forEachRemaining(elements::add);
    return elements;
  }
}
