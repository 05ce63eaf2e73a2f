package moxin.train.recipe;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.TreeMap;

/// The values of a recipe by their paths, such as `training.phases.0.steps`.
public final class Leaves {

  private Leaves() {}

  /// Those of `tree`, in the order of their paths.
  public static Map<String, String> of(JsonNode tree) {
    Map<String, String> leaves = new TreeMap<>();
    add("", tree, leaves);
    return leaves;
  }

  private static void add(String path, JsonNode node, Map<String, String> leaves) {
    if (node.isObject()) {
      String prefix = path.isEmpty() ? "" : path + ".";
      node.properties().forEach(entry -> add(prefix + entry.getKey(), entry.getValue(), leaves));
    } else if (node.isArray()) {
      for (int i = 0; i < node.size(); i++) {
        add(path + "." + i, node.get(i), leaves);
      }
    } else if (!node.isMissingNode()) {
      leaves.put(path, node.asText());
    }
  }
}
