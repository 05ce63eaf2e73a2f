package moxin.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.exc.ValueInstantiationException;
import com.fasterxml.jackson.databind.introspect.BeanPropertyDefinition;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// A recipe: one YAML file that says how a run is made, in sections that the modules read as their
/// own records. Unknown and misspelt keys are errors that name the nearest known key.
///
/// The whole file is kept, so that the resolved recipe can travel with every artefact and be used
/// again.
public final class RecipeFile {

  /// The sections that a recipe may have.
  public static final List<String> SECTIONS =
      List.of("name", "seed", "data", "tokenizer", "model", "training", "evaluation", "release");

  private static final long MAX_BYTES = 1 << 20;

  private static final YAMLMapper YAML =
      YAMLMapper.builder(
              YAMLFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(50).build())
                  .build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .build();

  private final String origin;
  private final Path directory;
  private final ObjectNode root;

  private RecipeFile(String origin, Path directory, ObjectNode root) {
    this.origin = origin;
    this.directory = directory;
    this.root = root;
  }

  /// Reads a recipe from `file`.
  ///
  /// @throws RecipeException if it is absent, not YAML, or has an unknown section
  public static RecipeFile read(Path file) {
    try {
      if (!Files.isRegularFile(file)) {
        throw new RecipeException(file + ": no such recipe file");
      }
      if (Files.size(file) > MAX_BYTES) {
        throw new RecipeException(file + ": a recipe has at most " + MAX_BYTES + " bytes");
      }
      Path directory = file.toAbsolutePath().normalize().getParent();
      return parse(
          file.toString(),
          directory == null ? file.toAbsolutePath() : directory,
          Files.readString(file));
    } catch (IOException e) {
      throw new RecipeException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /// Reads a recipe from text; `origin` names it in errors, and its paths are those of the working
  /// directory.
  public static RecipeFile parse(String origin, String yaml) {
    return parse(origin, Path.of("").toAbsolutePath(), yaml);
  }

  private static RecipeFile parse(String origin, Path directory, String yaml) {
    try {
      JsonNode node = YAML.readTree(yaml);
      if (!(node instanceof ObjectNode object)) {
        throw new RecipeException(origin + ": expected sections such as model: and training:");
      }
      object.fieldNames().forEachRemaining(key -> requireKnown(origin, key, SECTIONS));
      return new RecipeFile(origin, directory, object);
    } catch (JsonProcessingException e) {
      throw invalid(origin, e);
    }
  }

  /// The recipe's name, or its file's name without a suffix.
  public String name() {
    JsonNode name = root.get("name");
    if (name != null) {
      return name.asText();
    }
    String file = Path.of(origin).getFileName().toString();
    return file.replaceFirst("\\.ya?ml$", "");
  }

  /// The seed from which all randomness of the run derives; 1 when the recipe names none.
  public long seed() {
    JsonNode seed = root.get("seed");
    if (seed != null && !seed.canConvertToLong()) {
      throw new RecipeException(origin + ": seed must be a whole number, found " + seed);
    }
    return seed == null ? 1 : seed.asLong();
  }

  /// Section `name` as `type`, a record; empty if the recipe has no such section.
  ///
  /// @throws RecipeException if it does not fit, naming the key and its line
  public <T> Optional<T> section(String name, Class<T> type) {
    JsonNode node = root.get(name);
    if (node == null) {
      return Optional.empty();
    }
    try {
      return Optional.of(YAML.treeToValue(node, type));
    } catch (ValueInstantiationException e) {
      throw unknownKeyBehind(origin + ": " + name, node, e)
          .orElseGet(() -> invalid(origin + ": " + name, e));
    } catch (JsonProcessingException e) {
      throw invalid(origin + ": " + name, e);
    } catch (IllegalArgumentException e) {
      throw new RecipeException(origin + ": " + name + ": " + e.getMessage(), e);
    }
  }

  /// Section `name` as `type`.
  ///
  /// @throws RecipeException if the recipe has no such section or it does not fit
  public <T> T requiredSection(String name, Class<T> type) {
    return section(name, type)
        .orElseThrow(() -> new RecipeException(origin + ": the section " + name + ": is missing"));
  }

  /// A copy of this recipe with section `name` replaced by `value`, as when defaults are resolved.
  public RecipeFile with(String name, Object value) {
    requireKnown(origin, name, SECTIONS);
    ObjectNode copy = root.deepCopy();
    copy.set(name, YAML.valueToTree(value));
    return new RecipeFile(origin, directory, copy);
  }

  /// A copy of this recipe with values replaced, each override being `key.key=value`, such as
  /// `training.phases.0.steps=100`; a number selects an element of a list, the value is YAML.
  ///
  /// @throws RecipeException if an override has no such form or leads through a value
  public RecipeFile withOverrides(List<String> overrides) {
    ObjectNode copy = root.deepCopy();
    for (String override : overrides) {
      RecipeOverride.parse(override, YAML).applyTo(copy);
    }
    copy.fieldNames().forEachRemaining(key -> requireKnown(origin, key, SECTIONS));
    return new RecipeFile(origin, directory, copy);
  }

  /// The directory against which the recipe's relative paths are meant.
  public Path directory() {
    return directory;
  }

  /// The whole recipe as a tree, as it is put into manifests.
  public JsonNode tree() {
    return root.deepCopy();
  }

  /// The whole recipe as YAML, readable by [#parse].
  public String toYaml() {
    try {
      return YAML.writeValueAsString(root);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree is always writable", e);
    }
  }

  private static RecipeException invalid(String where, JsonProcessingException e) {
    if (e instanceof UnrecognizedPropertyException unknown) {
      List<String> known = unknown.getKnownPropertyIds().stream().map(Object::toString).toList();
      return new RecipeException(
          where + pathOf(unknown) + ": " + unknownKey(unknown.getPropertyName(), known), e);
    }
    String path = e instanceof JsonMappingException mapping ? pathOf(mapping) : "";
    Throwable cause = e.getCause() instanceof IllegalArgumentException iae ? iae : e;
    String message = cause instanceof JsonProcessingException j ? j.getOriginalMessage() : null;
    String line =
        e.getLocation() == null || e.getLocation().getLineNr() <= 0
            ? ""
            : " (line " + e.getLocation().getLineNr() + ")";
    return new RecipeException(
        where
            + path
            + line
            + ": "
            + (message == null ? String.valueOf(cause.getMessage()) : message)
                .lines()
                .collect(Collectors.joining(" ")),
        e);
  }

  /// A record that refuses its values may miss one whose key is misspelt; Jackson reports unknown
  /// keys only after building the record.
  private static Optional<RecipeException> unknownKeyBehind(
      String where, JsonNode section, ValueInstantiationException e) {
    JsonNode node = section;
    for (JsonMappingException.Reference reference : e.getPath()) {
      String field = reference.getFieldName();
      node = field == null ? node.path(reference.getIndex()) : node.path(field);
    }
    List<String> known =
        YAML.getDeserializationConfig().introspect(e.getType()).findProperties().stream()
            .map(BeanPropertyDefinition::getName)
            .toList();
    return node.properties().stream()
        .map(Map.Entry::getKey)
        .filter(key -> !known.contains(key))
        .findFirst()
        .map(key -> new RecipeException(where + pathOf(e) + ": " + unknownKey(key, known), e));
  }

  private static String pathOf(JsonMappingException e) {
    return e.getPath().stream()
        .filter(reference -> reference.getFieldName() != null || reference.getIndex() >= 0)
        .map(
            reference ->
                reference.getFieldName() == null
                    ? "[" + reference.getIndex() + "]"
                    : "." + reference.getFieldName())
        .collect(Collectors.joining());
  }

  private static void requireKnown(String origin, String key, List<String> known) {
    if (!known.contains(key)) {
      throw new RecipeException(origin + ": " + unknownKey(key, known));
    }
  }

  static String unknownKey(String key, Collection<String> known) {
    return EditDistance.nearest(key, known)
        .map(nearest -> "unknown key " + key + "; did you mean " + nearest + "?")
        .orElse("unknown key " + key + "; none is allowed here");
  }
}
