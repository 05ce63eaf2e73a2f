package moxin.release.mof;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Reads cards in the YAML form of the Model Openness Tool.
public final class OpennessCardFile {
  private static final long MAX_BYTES = 1 << 20;

  private static final YAMLMapper YAML =
      YAMLMapper.builder(
              YAMLFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(50).build())
                  .build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  private OpennessCardFile() {}

  /// Reads the card in `file`.
  ///
  /// @throws CardFormatException if it is no card
  public static OpennessCard read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new NoSuchFileException(file.toString());
    }
    if (Files.size(file) > MAX_BYTES) {
      throw new CardFormatException(
          file + ": " + Files.size(file) + " bytes; a card has at most " + MAX_BYTES);
    }
    try {
      return parse(file.toString(), Files.readString(file));
    } catch (CharacterCodingException e) {
      throw new CardFormatException(file + ": not UTF-8", e);
    }
  }

  /// Reads a card from text; `origin` names it in errors.
  public static OpennessCard parse(String origin, String yaml) {
    try {
      return card(origin, YAML.readTree(yaml));
    } catch (JsonProcessingException e) {
      long line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
      String found = String.valueOf(e.getOriginalMessage()).lines().findFirst().orElse("");
      throw new CardFormatException(origin + ": line " + line + ": not YAML: " + found, e);
    }
  }

  private static OpennessCard card(String origin, JsonNode root) {
    JsonNode release = root.path("release");
    if (!release.isObject()) {
      throw new CardFormatException(
          origin + ": no section release:; expected a Model Openness Tool card");
    }
    return new OpennessCard(
        requiredText(origin, release, "name"),
        requiredText(origin, release, "producer"),
        licences(origin, release.path("license")),
        components(origin, release.path("components")));
  }

  private static Map<String, String> licences(String origin, JsonNode node) {
    if (!node.isObject() && !node.isNull() && !node.isMissingNode()) {
      throw new CardFormatException(
          origin + ": release.license: expected a mapping, found " + node);
    }
    Map<String, String> licences = new HashMap<>();
    node.properties()
        .forEach(
            entry ->
                text(entry.getValue().path("name"))
                    .ifPresent(name -> licences.put(entry.getKey(), name)));
    return licences;
  }

  private static List<OpennessCard.Item> components(String origin, JsonNode node) {
    if (!node.isArray()) {
      throw new CardFormatException(origin + ": release.components: expected a list");
    }
    List<OpennessCard.Item> items = new ArrayList<>();
    Set<Component> seen = EnumSet.noneOf(Component.class);
    for (JsonNode entry : node) {
      String where = origin + ": release.components[" + items.size() + "]";
      String name = requiredText(where, entry, "name");
      Component component =
          Component.named(name)
              .orElseThrow(
                  () -> new CardFormatException(where + ": unknown component \"" + name + "\""));
      if (!seen.add(component)) {
        throw new CardFormatException(where + ": \"" + name + "\" stands twice");
      }
      items.add(
          new OpennessCard.Item(
              component, text(entry.path("license")), text(entry.path("component_path"))));
    }
    return items;
  }

  private static String requiredText(String where, JsonNode node, String key) {
    return text(node.path(key))
        .orElseThrow(() -> new CardFormatException(where + ": " + key + " is missing"));
  }

  private static Optional<String> text(JsonNode node) {
    return node.isValueNode() && !node.isNull() && !node.asText().isBlank()
        ? Optional.of(node.asText().strip())
        : Optional.empty();
  }
}
