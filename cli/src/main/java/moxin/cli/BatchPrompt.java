package moxin.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Set;
import moxin.infer.GenerationOptions;
import moxin.job.BadInputException;
import moxin.job.EditDistance;

/// A line of `moxin generate --input`, as far as it could be read.
///
/// @param line its number in the input, from 1
/// @param object what stands there; missing if it is no JSON object
record BatchPrompt(long line, JsonNode object) {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final Set<String> KEYS = Set.of("id", "prompt", "maxNewTokens");

  static BatchPrompt read(long line, String text) {
    try {
      JsonNode read = JSON.readTree(text);
      return new BatchPrompt(line, read.isObject() ? read : MissingNode.getInstance());
    } catch (JsonProcessingException e) {
      return new BatchPrompt(line, MissingNode.getInstance());
    }
  }

  /// The text to continue.
  ///
  /// @throws BadInputException if the line is not what it should be
  String prompt() {
    if (!object.isObject()) {
      throw new BadInputException("not a JSON object, expected {\"prompt\": \"…\"}");
    }
    for (var property : object.properties()) {
      if (!KEYS.contains(property.getKey())) {
        throw new BadInputException(
            "unknown key '"
                + property.getKey()
                + "'"
                + EditDistance.nearest(property.getKey(), KEYS)
                    .map(near -> "; did you mean '" + near + "'?")
                    .orElse(""));
      }
    }
    if (!object.path("prompt").isTextual()) {
      throw new BadInputException("\"prompt\" must be a text");
    }
    return object.path("prompt").textValue();
  }

  /// `options` with what the line says for itself.
  ///
  /// @throws BadInputException if it says what cannot be
  GenerationOptions options(GenerationOptions options) {
    JsonNode most = object.path("maxNewTokens");
    if (most.isMissingNode()) {
      return options;
    }
    if (!most.isInt() || most.intValue() < 0) {
      throw new BadInputException("\"maxNewTokens\" must be a whole number from 0 up");
    }
    return options.withMaxNewTokens(most.intValue());
  }

  /// An answer that begins with the line's `id`, where it has one.
  ObjectNode answer() {
    ObjectNode answer = JsonNodeFactory.instance.objectNode();
    if (object.has("id")) {
      answer.set("id", object.get("id"));
    }
    return answer;
  }

  /// The answer where there is none.
  ObjectNode error(String message) {
    return answer().put("line", line).put("error", message);
  }
}
