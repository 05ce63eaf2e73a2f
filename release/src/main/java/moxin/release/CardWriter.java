package moxin.release;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import moxin.release.mof.Component;
import org.jspecify.annotations.Nullable;

/// Writes the Model Openness Tool card of a release folder: the components whose files are in it,
/// and no others. All strings are quoted, since the tool's schema wants strings where YAML would
/// see dates and numbers.
final class CardWriter {
  private static final YAMLMapper YAML =
      YAMLMapper.builder().disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER).build();

  private final Path folder;
  private final ReleaseFacts facts;

  CardWriter(Path folder, ReleaseFacts facts) {
    this.folder = folder;
    this.facts = facts;
  }

  /// The card as YAML.
  String toYaml() throws IOException {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.putObject("framework")
        .put("name", "Model Openness Framework")
        .put("version", "1.0")
        .put("date", "2024-12-15");
    ReleaseRecipe recipe = facts.recipe();
    ObjectNode release = root.putObject("release");
    release.put("name", facts.name());
    release.put("version", recipe.version());
    release.put("date", facts.date());
    release.put("type", "language");
    release.put("architecture", "transformer decoder");
    release.put("treatment", "pre-trained");
    release.put("origin", "");
    release.put("producer", recipe.producer());
    release.put("contact", "");
    ObjectNode licence = release.putObject("license");
    licence.putObject("distribution").put("name", "").put("path", "");
    licence.putObject("code").put("name", recipe.code()).put("path", ReleaseFolder.LICENCE);
    licence.putObject("data").put("name", recipe.weights()).put("path", ReleaseFolder.LICENCE);
    licence.putObject("document").put("name", recipe.document()).put("path", ReleaseFolder.LICENCE);
    ArrayNode components = release.putArray("components");
    for (Component component : Component.values()) {
      Place place = placeOf(component);
      if (place != null && holdsSomething(folder.resolve(place.proof()))) {
        ObjectNode entry = components.addObject();
        entry.put("name", component.label());
        entry.put("description", place.description());
        Optional<String> own = licenceOf(component);
        if (own.isPresent()) {
          entry.put("license", own.get());
        }
        entry.put("component_path", place.path());
      }
    }
    return YAML.writeValueAsString(root);
  }

  private static boolean holdsSomething(Path place) throws IOException {
    return Files.isDirectory(place) || (Files.isRegularFile(place) && Files.size(place) > 0);
  }

  /// @param proof the file or folder without which the component is not there
  private record Place(String path, String description, String proof) {
    Place(String path, String description) {
      this(path, description, path);
    }
  }

  /// A component's own licence, where it is not the release's for its type.
  private Optional<String> licenceOf(Component component) {
    return switch (component) {
      case DATASETS, EVALUATION_DATA ->
          Optional.of(facts.licences().mainLicence().orElse("unlicensed"));
      default -> Optional.empty();
    };
  }

  private static @Nullable Place placeOf(Component component) {
    return switch (component) {
      case MODEL_ARCHITECTURE -> new Place("code/model", "The shape and formats of the model");
      case FINAL_PARAMETERS ->
          new Place(ReleaseFolder.MODEL, "The final weights in Hugging Face layout");
      case TECHNICAL_REPORT ->
          new Place(ReleaseFolder.REPORT, "Training curves, data funnel, samples, evaluation");
      case EVALUATION_RESULTS ->
          new Place(
              ReleaseFolder.EVALUATION,
              "Results in lm-evaluation-harness's shape",
              ReleaseFolder.RESULTS);
      case MODEL_CARD -> new Place(ReleaseFolder.MODEL_CARD, "What the model is and is not for");
      case DATA_CARD ->
          new Place(
              ReleaseFolder.DATA_CARD, "What was read, what was dropped, under which licences");
      case SAMPLE_OUTPUTS -> new Place(ReleaseFolder.SAMPLES, "Samples as training went on");
      case TRAINING_CODE -> new Place("code/train", "The code that trained the model");
      case INFERENCE_CODE -> new Place("code/infer", "The code that runs the model");
      case EVALUATION_CODE -> new Place("code/eval", "The code that evaluated the model");
      case EVALUATION_DATA -> new Place(ReleaseFolder.HELD_OUT_DOCUMENTS, "The held-out documents");
      case SUPPORTING_TOOLS -> new Place("code/text", "Tokenizer and token shards");
      case DATASETS -> new Place(ReleaseFolder.TRAINING_DOCUMENTS, "The documents trained on");
      case PREPROCESSING_CODE ->
          new Place("code/data", "The code that read, cleaned and deduplicated the documents");
      case RESEARCH_PAPER -> new Place(ReleaseFolder.PAPER, "The research paper");
      case INTERMEDIATE_PARAMETERS -> new Place(ReleaseFolder.CHECKPOINTS, "Weights on the way");
      case MODEL_METADATA ->
          new Place(ReleaseFolder.RECIPE, "The resolved recipe of the whole run");
    };
  }
}
