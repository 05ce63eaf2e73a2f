package moxin.train.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import moxin.job.BadInputException;
import moxin.job.Manifest;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.train.loader.TokenSource;
import moxin.train.recipe.Initialisation;
import moxin.train.recipe.Phase;
import moxin.train.recipe.Source;
import moxin.train.recipe.TrainingRecipe;

/// What a run reads, found and opened.
///
/// @param config the model's shape
/// @param tokenizerFiles copied into every checkpoint
/// @param entries what manifests say was read
record Inputs(ModelConfig config, List<Path> tokenizerFiles, List<Manifest.Entry> entries) {
  private static final List<String> TOKENIZER_FILES =
      List.of(
          "tokenizer.model", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json");

  static Inputs find(TrainingJob job, TrainingRecipe recipe) throws IOException {
    Optional<Path> initial = checkpoint(recipe.initialisation());
    ModelConfig config = config(job, recipe.initialisation(), initial);
    List<Path> tokenizer = tokenizerFiles(job, initial);
    List<Manifest.Entry> entries = new ArrayList<>();
    for (Phase phase : recipe.phases()) {
      for (Source source : phase.sources()) {
        for (Path file : TokenSource.files(source.label(), job.locate(source))) {
          entries.add(Manifest.Entry.of(role(phase, source, file), file));
        }
      }
    }
    for (Path file : tokenizer) {
      entries.add(Manifest.Entry.of("tokenizer: " + file.getFileName(), file));
    }
    if (initial.isPresent()) {
      entries.add(Manifest.Entry.of("initial checkpoint", initial.get()));
    }
    return new Inputs(config, tokenizer, entries);
  }

  /// What manifests call the shard `file` of a phase's source.
  static String role(Phase phase, Source source, Path file) {
    return "phase " + phase.name() + ": " + source.label() + ": " + file.getFileName();
  }

  /// The directory of the initial checkpoint.
  ///
  /// @throws BadInputException if the recipe names one that is absent
  static Optional<Path> checkpoint(Initialisation initialisation) {
    if (initialisation.checkpoint() == null) {
      return Optional.empty();
    }
    Path path = Path.of(initialisation.checkpoint());
    if (!Files.isDirectory(path)) {
      throw new BadInputException(path + ": no such checkpoint directory");
    }
    return Optional.of(path);
  }

  private static ModelConfig config(
      TrainingJob job, Initialisation initialisation, Optional<Path> initial) throws IOException {
    if (initial.isEmpty() || initialisation.kind().deepens()) {
      return job.model()
          .orElseThrow(
              () -> new BadInputException("the recipe has neither a model nor a checkpoint"));
    }
    ModelConfig found = ModelConfigFile.read(initial.get());
    ModelConfig wanted = job.model().orElse(found);
    if (wanted.parameterCount() != found.parameterCount()
        || wanted.vocabSize() != found.vocabSize()) {
      throw new BadInputException(
          initial.get() + ": the checkpoint has another shape than the recipe's model");
    }
    return wanted;
  }

  private static List<Path> tokenizerFiles(TrainingJob job, Optional<Path> initial)
      throws IOException {
    Optional<Path> place = job.tokenizer().or(() -> initial);
    if (place.isEmpty()) {
      return List.of();
    }
    if (Files.isRegularFile(place.get())) {
      return List.of(place.get());
    }
    if (!Files.isDirectory(place.get())) {
      throw new BadInputException(place.get() + ": no such tokenizer");
    }
    Path directory = place.get();
    List<Path> usual =
        TOKENIZER_FILES.stream().map(directory::resolve).filter(Files::isRegularFile).toList();
    if (!usual.isEmpty()) {
      return usual;
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(file -> file.getFileName().toString().endsWith(".model"))
          .sorted()
          .limit(1)
          .toList();
    }
  }

  /// Where the shards of `source` lie: where `named` says, else at its path.
  ///
  /// @throws BadInputException if `named` has no such name
  static Path locate(Map<String, Path> named, Source source) {
    Path found = source.name() == null ? null : named.get(source.name());
    if (found == null && source.path() != null) {
      return Path.of(source.path());
    }
    if (found == null) {
      throw new BadInputException(
          "no source is called "
              + source.label()
              + (named.isEmpty()
                  ? "; name the directory of token shards with --tokens"
                  : "; known are " + named.keySet()));
    }
    return found;
  }

  /// The name of a tokenizer file in a checkpoint.
  static String nameInCheckpoint(Path file) {
    String name = file.getFileName().toString();
    return name.endsWith(".model") ? "tokenizer.model" : name;
  }

  /// Opens the sources of a list.
  static List<TokenSource> open(TrainingJob job, List<Source> sources, int vocabSize)
      throws IOException {
    return open(job.sources(), sources, vocabSize);
  }

  /// Opens the sources of a list, with the shards of `named` behind their names.
  static List<TokenSource> open(Map<String, Path> named, List<Source> sources, int vocabSize)
      throws IOException {
    List<TokenSource> opened = new ArrayList<>();
    try {
      for (Source source : sources) {
        opened.add(TokenSource.open(source.label(), locate(named, source), vocabSize));
      }
      return List.copyOf(opened);
    } catch (IOException | RuntimeException e) {
      opened.forEach(TokenSource::close);
      throw e;
    }
  }
}
