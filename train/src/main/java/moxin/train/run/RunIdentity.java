package moxin.train.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import moxin.job.Manifest;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.train.recipe.TrainingRecipe;

/// All that decides a run's numbers, as a tree: recipe without what only watches or saves memory,
/// shape, seed and the hashes of the inputs. Where things lie does not count.
final class RunIdentity {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final List<String> WATCHING =
      List.of("evaluation", "samples", "monitoring", "memory", "parallel");

  private RunIdentity() {}

  static JsonNode of(
      TrainingRecipe recipe, ModelConfig config, long seed, List<Manifest.Entry> inputs) {
    ObjectNode training = JSON.valueToTree(recipe);
    training.remove(WATCHING);
    if (training.path("optimizer") instanceof ObjectNode optimizer) {
      // Runs from before there was a choice go on.
      removeUsual(optimizer, "states");
      removeUsual(optimizer, "masterWeights");
    }
    if (StepJudge.mayRollBack(recipe)) {
      // Where a run returns to decides its numbers; who writes it, and what is kept, does not.
      ObjectNode checkpoints = training.putObject("checkpoints");
      checkpoints.put("everySteps", recipe.checkpoints().everySteps());
      checkpoints.set("atSteps", JSON.valueToTree(recipe.checkpoints().atSteps()));
    } else {
      training.remove("checkpoints");
    }
    if (training.path("initialisation") instanceof ObjectNode initialisation) {
      initialisation.remove("checkpoint");
    }
    for (JsonNode phase : training.path("phases")) {
      for (JsonNode source : phase.path("sources")) {
        if (source instanceof ObjectNode object) {
          object.remove(List.of("name", "path"));
        }
      }
    }
    ObjectNode identity = JSON.createObjectNode();
    identity.put("seed", seed);
    identity.put("model", ModelConfigFile.toJson(config, DType.F32));
    identity.set("training", training);
    ArrayNode hashes = identity.putArray("inputs");
    inputs.forEach(input -> hashes.add(input.sha256()));
    return normalised(identity);
  }

  private static void removeUsual(ObjectNode optimizer, String key) {
    if (optimizer.path(key).asText().equals("fp32")) {
      optimizer.remove(key);
    }
  }

  /// The first place where `now` differs from `then`, and how.
  static Optional<String> difference(JsonNode then, JsonNode now) {
    return difference("", normalised(then), now);
  }

  private static Optional<String> difference(String path, JsonNode then, JsonNode now) {
    if (then.equals(now)) {
      return Optional.empty();
    }
    if (then.isObject() && now.isObject()) {
      TreeSet<String> keys = new TreeSet<>();
      then.fieldNames().forEachRemaining(keys::add);
      now.fieldNames().forEachRemaining(keys::add);
      for (String key : keys) {
        Optional<String> found = difference(path + "." + key, then.path(key), now.path(key));
        if (found.isPresent()) {
          return found;
        }
      }
    }
    if (then.isArray() && now.isArray() && then.size() == now.size()) {
      Iterator<JsonNode> other = now.iterator();
      int index = 0;
      for (JsonNode element : then) {
        Optional<String> found = difference(path + "[" + index + "]", element, other.next());
        if (found.isPresent()) {
          return found;
        }
        index++;
      }
    }
    return Optional.of(
        path.substring(Math.min(1, path.length())) + " was " + shown(then) + ", is " + shown(now));
  }

  private static String shown(JsonNode node) {
    String text = node.isMissingNode() ? "absent" : node.toString();
    return text.length() > 80 ? text.substring(0, 77) + "..." : text;
  }

  /// Numbers as they come back from a file.
  private static JsonNode normalised(JsonNode tree) {
    try {
      return JSON.readTree(JSON.writeValueAsString(tree));
    } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
      throw new IllegalStateException("a tree is always writable", e);
    }
  }
}
