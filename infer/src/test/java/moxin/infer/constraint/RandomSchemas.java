package moxin.infer.constraint;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Random;

/// Random schemas over all supported keywords; some are recursive.
final class RandomSchemas {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final List<String> NAMES =
      List.of("a", "name", "né", "q\"t", "x/y", "t\nb", "", "日本", "a b", "\\");

  private final Random random;

  RandomSchemas(Random random) {
    this.random = random;
  }

  /// A schema with two definitions that its parts refer to.
  ObjectNode next() {
    ObjectNode root = schema(3);
    ObjectNode definitions = root.putObject("$defs");
    definitions.set("one", schema(2));
    definitions.set("two/x", schema(1));
    return root;
  }

  private ObjectNode schema(int depth) {
    return switch (random.nextInt(depth > 0 ? 12 : 6)) {
      case 0 -> string();
      case 1 -> integer();
      case 2 -> number();
      case 3 -> listed();
      case 4 -> JSON.createObjectNode().put("type", random.nextBoolean() ? "boolean" : "null");
      case 5 ->
          JSON.createObjectNode()
              .put("$ref", List.of("#/$defs/one", "#/$defs/two~1x").get(random.nextInt(2)));
      case 6, 7, 8 -> object(depth);
      case 9, 10 -> array(depth);
      default -> union(depth);
    };
  }

  private ObjectNode string() {
    ObjectNode schema = JSON.createObjectNode().put("type", "string");
    if (random.nextBoolean()) {
      int min = random.nextInt(4);
      schema.put("minLength", min).put("maxLength", min + random.nextInt(4));
    }
    if (random.nextInt(3) == 0) {
      schema.put(
          "pattern", List.of("^[a-c\"]+", "é|\\\\|\n", "^.{1,6}$", "x?y$").get(random.nextInt(4)));
    }
    return schema;
  }

  private ObjectNode integer() {
    ObjectNode schema = JSON.createObjectNode().put("type", "integer");
    int low = random.nextInt(4000) - 2000;
    if (random.nextBoolean()) {
      schema.put(random.nextBoolean() ? "minimum" : "exclusiveMinimum", low);
    }
    if (random.nextBoolean()) {
      schema.put(
          random.nextBoolean() ? "maximum" : "exclusiveMaximum", low + 2 + random.nextInt(1500));
    }
    if (random.nextInt(3) == 0) {
      schema.put("multipleOf", List.of(1, 2, 7, 13, 32, 33, 257).get(random.nextInt(7)));
    }
    return schema;
  }

  private ObjectNode number() {
    ObjectNode schema = JSON.createObjectNode().put("type", "number");
    if (random.nextBoolean()) {
      int low = random.nextInt(40) - 20;
      schema.put(random.nextBoolean() ? "minimum" : "exclusiveMinimum", low);
      schema.put(
          random.nextBoolean() ? "maximum" : "exclusiveMaximum", low + 1 + random.nextInt(30));
    }
    return schema;
  }

  private ObjectNode listed() {
    ObjectNode schema = JSON.createObjectNode();
    ArrayNode values = random.nextBoolean() ? schema.putArray("enum") : JSON.createArrayNode();
    values.add("r\u00e9d\"\\\u0001").add(-3).add(2.5).addNull();
    values.addObject().put("k", true).putArray("l").add(1).add("x");
    return schema.isEmpty() ? schema.set("const", values.get(random.nextInt(5))) : schema;
  }

  private ObjectNode object(int depth) {
    ObjectNode schema = JSON.createObjectNode().put("type", "object");
    ObjectNode properties = JSON.createObjectNode();
    ArrayNode required = JSON.createArrayNode();
    for (int n = random.nextInt(4); n > 0; n--) {
      String name = NAMES.get(random.nextInt(NAMES.size()));
      properties.set(name, schema(depth - 1));
      if (random.nextBoolean()) {
        required.add(name);
      }
    }
    if (random.nextInt(5) > 0) {
      schema.set("properties", properties);
      schema.set("required", required);
    }
    if (random.nextInt(4) == 0) {
      ObjectNode patterns = schema.putObject("patternProperties");
      patterns.set("^[0-9]", schema(0));
      patterns.set("[x-z]{9}$", schema(depth - 1));
    }
    switch (random.nextInt(4)) {
      case 0 -> schema.put("additionalProperties", random.nextBoolean());
      case 1 -> schema.set("additionalProperties", schema(0));
      default -> {}
    }
    return schema;
  }

  private ObjectNode array(int depth) {
    ObjectNode schema = JSON.createObjectNode().put("type", "array");
    if (random.nextInt(5) == 0) {
      schema.put("uniqueItems", true).putObject("items").putArray("enum").add(1).add("é").add(2.5);
      return schema.put("minItems", random.nextInt(4));
    }
    if (random.nextInt(4) > 0) {
      schema.set("items", schema(depth - 1));
    }
    if (random.nextInt(3) == 0) {
      schema.putArray("prefixItems").add(schema(depth - 1)).add(schema(0));
    }
    if (random.nextBoolean()) {
      int min = random.nextInt(3);
      schema.put("minItems", min);
      if (random.nextBoolean()) {
        schema.put("maxItems", min + random.nextInt(3));
      }
    }
    return schema;
  }

  private ObjectNode union(int depth) {
    ObjectNode schema = JSON.createObjectNode();
    ArrayNode options = schema.putArray(random.nextBoolean() ? "anyOf" : "oneOf");
    for (int n = 1 + random.nextInt(3); n > 0; n--) {
      options.add(schema(depth - 1));
    }
    return schema;
  }
}
