package moxin.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One `key.key=value` given beside a recipe.
record RecipeOverride(String text, List<String> path, JsonNode value) {

  static RecipeOverride parse(String text, ObjectMapper yaml) {
    int equals = text.indexOf('=');
    if (equals <= 0) {
      throw new RecipeException(text + ": expected key=value, such as training.precision=bf16");
    }
    List<String> path = List.of(text.substring(0, equals).strip().split("\\.", -1));
    try {
      return new RecipeOverride(text, path, yaml.readTree(text.substring(equals + 1)));
    } catch (JsonProcessingException e) {
      throw new RecipeException(text + ": the value is not YAML: " + e.getOriginalMessage(), e);
    }
  }

  void applyTo(ObjectNode root) {
    JsonNode node = root;
    for (String key : path.subList(0, path.size() - 1)) {
      JsonNode child = child(node, key);
      if (child == null && node instanceof ObjectNode object) {
        child = object.putObject(key);
      }
      if (child == null) {
        throw invalid(key);
      }
      node = child;
    }
    String last = path.getLast();
    switch (node) {
      case ObjectNode object -> object.set(last, value);
      case ArrayNode array when index(array, last) >= 0 -> array.set(index(array, last), value);
      default -> throw invalid(last);
    }
  }

  private static @Nullable JsonNode child(JsonNode node, String key) {
    return switch (node) {
      case ObjectNode object -> object.get(key);
      case ArrayNode array -> array.get(index(array, key));
      default -> null;
    };
  }

  private static int index(ArrayNode array, String key) {
    if (!key.matches("[0-9]{1,6}")) {
      return -1;
    }
    int index = Integer.parseInt(key);
    return index < array.size() ? index : -1;
  }

  private RecipeException invalid(String key) {
    return new RecipeException(text + ": the recipe has no place for the key " + key);
  }
}
