package moxin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import moxin.job.ContentHash;
import moxin.job.Manifest;
import moxin.testing.SharedData;

/// `moxin quickstart` shortened by overrides: the same code and the same recipe on a small folder,
/// with a small model and few steps.
final class ShortQuickstart {
  /// The steps of all phases together.
  static final int STEPS = 16;

  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final List<String> MODULES = List.of("job", "model", "testing");

  private static final List<String> OVERRIDES =
      List.of(
          "data.validationFraction=0.1",
          "tokenizer.vocabSize=400",
          "model={hiddenSize: 32, intermediateSize: 64, numHiddenLayers: 2, numAttentionHeads: 4,"
              + " numKeyValueHeads: 2, slidingWindow: 32, maxPositionEmbeddings: 256,"
              + " tieWordEmbeddings: true}",
          "training.schedule.warmupSteps=2",
          "training.phases.0.steps=8",
          "training.phases.0.contextLength=32",
          "training.phases.0.batchSize=4",
          "training.phases.1.steps=4",
          "training.phases.1.contextLength=64",
          "training.phases.1.batchSize=2",
          "training.phases.2.steps=4",
          "training.phases.2.contextLength=48",
          "training.phases.2.batchSize=2",
          "training.evaluation.everySteps=5",
          "training.evaluation.contextLength=64",
          "training.evaluation.batchSize=2",
          "training.evaluation.batches=1",
          "training.samples.everySteps=7",
          "training.samples.maxNewTokens=4",
          "training.checkpoints.everySteps=3",
          "evaluation.heldoutDocuments=4",
          "evaluation.questions=4");

  /// Asks about the corpus of the quickstart's run, which a run of `moxin train` has elsewhere.
  private static final String TASKS =
      "training.evaluation.tasks={names: [heldout], everySteps: 6, limit: 3}";

  private ShortQuickstart() {}

  /// What makes the quickstart's recipe short.
  static List<String> overrides() {
    return OVERRIDES;
  }

  /// The arguments of a run that reads `corpus` into `out`; `further` are overrides too.
  static List<String> arguments(Path corpus, Path out, String... further) {
    List<String> all =
        new ArrayList<>(
            List.of("quickstart", "--corpus", corpus.toString(), "--out", out.toString()));
    Stream.of(OVERRIDES.stream(), Stream.of(TASKS), Stream.of(further))
        .flatMap(part -> part)
        .forEach(override -> all.addAll(List.of("--set", override)));
    return all;
  }

  /// Copies Java and Markdown files of this checkout into `folder`.
  static Path gatherCorpus(Path folder) throws IOException {
    Path root = SharedData.projectRoot();
    List<Path> files = new ArrayList<>();
    for (String module : MODULES) {
      try (Stream<Path> walk = Files.walk(root.resolve(module).resolve("src"))) {
        walk.filter(path -> path.toString().endsWith(".java")).forEach(files::add);
      }
    }
    for (Path markdown : List.of(root, root.resolve("docs"))) {
      try (Stream<Path> list = Files.list(markdown)) {
        list.filter(path -> path.toString().endsWith(".md")).forEach(files::add);
      }
    }
    for (Path file : files) {
      Path copy = folder.resolve(root.relativize(file));
      Files.createDirectories(copy.getParent());
      Files.copy(file, copy);
    }
    return folder;
  }

  /// What a finished run holds that must not depend on how it came about: the hash of every file by
  /// its path, without those that tell times.
  static Map<String, String> contents(Path run) throws IOException {
    Map<String, String> hashes = new TreeMap<>();
    for (String part :
        List.of("data/documents", "tokenizer", "tokens", "checkpoints", "release/model")) {
      Path directory = run.resolve(part);
      assertThat(directory).isDirectory();
      List<Path> files;
      try (Stream<Path> walk = Files.walk(directory)) {
        files = walk.filter(Files::isRegularFile).toList();
      }
      for (Path file : files) {
        if (!file.endsWith(Manifest.FILE_NAME) && !file.endsWith("trainer_state.json")) {
          hashes.put(run.relativize(file).toString(), ContentHash.ofFile(file));
        }
      }
    }
    return hashes;
  }

  /// Step and loss of every line of `metrics.jsonl`.
  static List<String> losses(Path run) throws IOException {
    List<String> losses = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      JsonNode step = JSON.readTree(line);
      losses.add(step.get("step") + " " + step.get("loss") + " " + step.get("gradNorm"));
    }
    return losses;
  }

  /// Asserts that everything under a final name in `run` is whole, whatever is there.
  static void requireWhole(Path run) throws IOException {
    List<Path> artefacts = new ArrayList<>();
    for (String name : List.of("data", "tokenizer", "tokens", "evaluation", "release")) {
      artefacts.add(run.resolve(name));
    }
    Path checkpoints = run.resolve("checkpoints");
    if (Files.isDirectory(checkpoints)) {
      try (Stream<Path> list = Files.list(checkpoints)) {
        list.filter(path -> path.getFileName().toString().startsWith("step-"))
            .forEach(artefacts::add);
      }
    }
    for (Path artefact : artefacts) {
      if (Files.exists(artefact)) {
        assertThat(Manifest.read(artefact).differences(artefact)).as("%s", artefact).isEmpty();
      }
    }
    Path steps = run.resolve("steps.json");
    if (Files.exists(steps)) {
      assertThat(JSON.readTree(steps.toFile()).isObject()).isTrue();
    }
  }

  /// Asserts that nothing temporary is left in or beside `run`.
  static void requireTidy(Path run) throws IOException {
    try (Stream<Path> walk = Files.walk(run.resolveSibling(""))) {
      assertThat(walk.map(path -> path.getFileName().toString()))
          .as("files of %s", run)
          .noneMatch(name -> name.startsWith(".") && !name.matches("\\.(mvn|ci|gitignore)"));
    }
  }
}
