package moxin.train.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import moxin.job.BadInputException;
import moxin.job.Manifest;
import moxin.job.RecipeFile;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.train.run.RunDirectory;
import moxin.train.run.SampleText;
import moxin.train.run.StepMetrics;
import moxin.train.run.TaskPoint;
import moxin.train.run.ValidationPoint;

/// What the files of a run directory say; absent files are empty lists, empty optionals and missing
/// nodes.
///
/// @param tasks what evaluation tasks came to on the way
/// @param incidents spikes, losses that are not finite, and warnings
/// @param checkpoint the newest checkpoint
/// @param data the corpus report
/// @param results of the evaluation, as lm-evaluation-harness has them
/// @param summary the evaluation's bits per byte beside those of xz
record RunFiles(
    Path root,
    Optional<RecipeFile> recipe,
    List<StepMetrics> steps,
    List<ValidationPoint> validation,
    List<TaskPoint> tasks,
    List<SampleText> samples,
    List<Mark> incidents,
    Optional<Path> checkpoint,
    Optional<ModelConfig> model,
    Optional<Manifest> manifest,
    JsonNode data,
    JsonNode results,
    JsonNode summary) {

  private static final long MAX_BYTES = 64L << 20;
  private static final JsonMapper JSON = JsonMapper.builder().build();

  static RunFiles read(Path root) throws IOException {
    if (!Files.isDirectory(root)) {
      throw new BadInputException(root + ": no such run directory");
    }
    RunDirectory run = new RunDirectory(root);
    Optional<Path> checkpoint = newest(run.checkpoints());
    RunFiles files =
        new RunFiles(
            root,
            Files.isRegularFile(run.recipe())
                ? Optional.of(RecipeFile.read(run.recipe()))
                : Optional.empty(),
            RunLogs.steps(run.metrics()),
            RunLogs.validation(run.validation()),
            RunLogs.tasks(run.evaluation()),
            RunLogs.samples(run.samples()),
            RunLogs.incidents(run.incidents()),
            checkpoint,
            model(checkpoint),
            manifest(checkpoint),
            object(root.resolve("data/report.json")),
            object(root.resolve("evaluation/results.json")),
            object(root.resolve("evaluation/summary.json")));
    if (files.steps.isEmpty() && files.data.isMissingNode() && files.results.isMissingNode()) {
      throw new BadInputException(
          root + ": nothing to report; there is no metrics.jsonl with a step in it");
    }
    return files;
  }

  /// The recipe's name, or the directory's.
  String name() {
    return recipe
        .filter(file -> file.tree().hasNonNull("name"))
        .map(RecipeFile::name)
        .orElseGet(() -> String.valueOf(root.toAbsolutePath().normalize().getFileName()));
  }

  /// The recipe as a tree; missing without one.
  JsonNode recipeTree() {
    return recipe.map(RecipeFile::tree).orElse(MissingNode.getInstance());
  }

  /// The manifest of `directory` within the run, where it has one.
  ///
  /// @throws BadInputException if it is not a manifest
  static Optional<Manifest> manifest(Path directory) throws IOException {
    Path file = directory.resolve(Manifest.FILE_NAME);
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    requireModest(file);
    try {
      return Optional.of(Manifest.read(directory));
    } catch (JsonProcessingException e) {
      throw new BadInputException(file + ": not a manifest: " + e.getOriginalMessage(), e);
    }
  }

  static void requireModest(Path file) throws IOException {
    if (Files.size(file) > MAX_BYTES) {
      throw new BadInputException(
          file + ": " + Files.size(file) + " bytes; a report reads at most " + MAX_BYTES);
    }
  }

  private static Optional<Manifest> manifest(Optional<Path> directory) throws IOException {
    return directory.isEmpty() ? Optional.empty() : manifest(directory.get());
  }

  private static Optional<ModelConfig> model(Optional<Path> checkpoint) throws IOException {
    if (checkpoint.isEmpty()
        || !Files.isRegularFile(checkpoint.get().resolve(ModelConfigFile.FILE_NAME))) {
      return Optional.empty();
    }
    return Optional.of(ModelConfigFile.read(checkpoint.get()));
  }

  /// The directory that `latest` names: a link, or on some systems a file with the name.
  private static Optional<Path> newest(Path checkpoints) throws IOException {
    Path latest = checkpoints.resolve("latest");
    if (Files.isRegularFile(latest)) {
      requireModest(latest);
      String name = Files.readString(latest).strip();
      if (!name.matches("step-[0-9]{1,15}")) {
        throw new BadInputException(latest + ": expected the name of a checkpoint");
      }
      latest = checkpoints.resolve(name);
    }
    return Files.isDirectory(latest)
        ? Optional.of(checkpoints.resolve(latest.toRealPath().getFileName()))
        : Optional.empty();
  }

  private static JsonNode object(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      return MissingNode.getInstance();
    }
    requireModest(file);
    try {
      JsonNode node = JSON.readTree(file.toFile());
      if (node.isObject()) {
        return node;
      }
      throw new BadInputException(file + ": expected a JSON object");
    } catch (JsonProcessingException e) {
      throw new BadInputException(file + ": not JSON: " + e.getOriginalMessage(), e);
    }
  }
}
