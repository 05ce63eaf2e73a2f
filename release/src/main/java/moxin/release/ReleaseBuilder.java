package moxin.release;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import moxin.job.AtomicDirectory;
import moxin.job.AtomicFile;
import moxin.job.BadInputException;
import moxin.job.CodeVersion;
import moxin.job.Manifest;
import moxin.job.Progress;
import moxin.job.RecipeFile;
import moxin.model.ModelConfigFile;
import moxin.release.RunArtefacts.Artefact;

/// Gathers a run into a release folder: weights, intermediate checkpoints, data with its manifest,
/// evaluation, samples, report, code, cards, licences, and a manifest that chains it all.
///
/// Nothing is made up: what the run lacks is missing from the folder and from its card.
public final class ReleaseBuilder {
  private static final List<String> ROOT_FILES =
      List.of(
          "LICENSE",
          "README.md",
          "CHANGELOG.md",
          "pom.xml",
          "mvnw",
          "mvnw.cmd",
          "moxin",
          "jvm.args");

  private final RunArtefacts artefacts;
  private final ReleaseOptions options;
  private final Path folder;
  private final ReleaseRecipe recipe;

  private ReleaseBuilder(
      RunArtefacts artefacts, ReleaseOptions options, Path folder, ReleaseRecipe recipe) {
    this.artefacts = artefacts;
    this.options = options;
    this.folder = folder;
    this.recipe = recipe;
  }

  /// Builds the release of `run` in `out`, which appears whole or not at all, and checks it.
  ///
  /// @throws BadInputException if there is no run with a whole checkpoint
  public static ReleaseCheck.Report build(
      Path run, Path out, ReleaseOptions options, Progress progress) throws IOException {
    RunArtefacts artefacts = RunArtefacts.find(run, options.artefacts());
    Optional<RecipeFile> recipeFile = recipeOf(run);
    ReleaseRecipe recipe =
        recipeFile
            .flatMap(file -> file.section("release", ReleaseRecipe.class))
            .orElseGet(ReleaseRecipe::defaults);
    try (Progress.Task task = progress.start("Release", 2, "steps");
        AtomicDirectory directory = AtomicDirectory.open(out)) {
      ReleaseBuilder builder = new ReleaseBuilder(artefacts, options, directory.path(), recipe);
      task.status("gathering");
      builder.gather(recipeFile.map(RecipeFile::name));
      task.advance(1);
      task.status("hashing");
      Manifest.write(
          directory.path(),
          RunArtefacts.KIND,
          recipeFile.map(file -> file.with("release", recipe).tree()).orElse(null),
          builder.manifestEntries());
      directory.commit();
      task.advance(1);
    }
    return ReleaseCheck.check(out, progress);
  }

  private static Optional<RecipeFile> recipeOf(Path run) {
    Path file = run.resolve(ReleaseFolder.RECIPE);
    return Files.isRegularFile(file) ? Optional.of(RecipeFile.read(file)) : Optional.empty();
  }

  private void gather(Optional<String> recipeName) throws IOException {
    List<Artefact> checkpoints = artefacts.checkpoints();
    Artefact last = checkpoints.getLast();
    copyWeights(last, folder.resolve(ReleaseFolder.MODEL));
    for (Artefact checkpoint : checkpoints.subList(0, checkpoints.size() - 1)) {
      Path name = checkpoint.path().getFileName();
      copyWeights(
          checkpoint, folder.resolve(ReleaseFolder.CHECKPOINTS).resolve(String.valueOf(name)));
    }
    for (String name : List.of("tokens", "tokenizer")) {
      copyFirst(name, name, name.equals("tokenizer"));
    }
    copyFirst("evaluation", ReleaseFolder.EVALUATION, true);
    copyUnmanifestedEvaluation();
    for (String name :
        List.of(
            ReleaseFolder.RECIPE,
            ReleaseFolder.METRICS,
            ReleaseFolder.VALIDATION,
            ReleaseFolder.SAMPLES,
            ReleaseFolder.REPORT)) {
      FolderCopy.file(artefacts.run().resolve(name), folder.resolve(name));
    }
    if (recipe.paper() != null) {
      Path paper = artefacts.run().resolve(recipe.paper());
      if (!Files.isRegularFile(paper)) {
        throw new BadInputException("release.paper: no such file: " + paper);
      }
      FolderCopy.file(paper, folder.resolve(ReleaseFolder.PAPER));
    }
    ReleaseFacts facts = corpusAndFacts(last, recipeName);
    copyCode(last);
    writeCards(facts);
  }

  /// Copies a checkpoint without the optimizer's state, which is twice as big as the weights; its
  /// manifest still names it by hash.
  private static void copyWeights(Artefact checkpoint, Path to) throws IOException {
    FolderCopy.tree(checkpoint.path(), to, Set.of(ReleaseFolder.OPTIMIZER));
  }

  private ReleaseFacts corpusAndFacts(Artefact last, Optional<String> recipeName)
      throws IOException {
    Optional<Artefact> corpus = artefacts.first("corpus");
    JsonNode report =
        ReleaseFacts.json(
            corpus.map(Artefact::path).orElse(artefacts.run()).resolve("report.json"));
    DataLicences licences = DataLicences.of(report);
    Optional<String> heldBack = heldBack(corpus, licences);
    if (corpus.isPresent()) {
      copyCorpus(corpus.get().path(), heldBack.isEmpty());
    }
    String name =
        recipe.name().isEmpty() ? recipeName.orElse(nameOf(artefacts.run())) : recipe.name();
    String created = last.manifest().created();
    Path evaluation = folder.resolve(ReleaseFolder.EVALUATION);
    return new ReleaseFacts(
        name,
        created.length() >= 10 ? created.substring(0, 10) : created,
        recipe,
        ModelConfigFile.read(last.path()),
        ReleaseFacts.json(last.path().resolve("trainer_state.json")),
        ReleaseFacts.json(folder.resolve(ReleaseFolder.RESULTS)),
        ReleaseFacts.json(evaluation.resolve("summary.json")),
        report,
        licences,
        heldBack,
        last.manifest().inputs().stream()
            .filter(input -> input.name().equals("initial checkpoint"))
            .findFirst(),
        Files.isRegularFile(folder.resolve(ReleaseFolder.REPORT)),
        last.manifest().code());
  }

  private Optional<String> heldBack(Optional<Artefact> corpus, DataLicences licences) {
    if (corpus.isEmpty()) {
      return Optional.of("the run names no corpus");
    }
    return switch (recipe.datasets()) {
      case INCLUDE -> Optional.empty();
      case REFERENCE -> Optional.of("the recipe asks for a reference only");
      case AUTO -> licences.obstacle();
    };
  }

  private void copyCorpus(Path corpus, boolean documents) throws IOException {
    Path data = folder.resolve(ReleaseFolder.DATA);
    if (documents) {
      FolderCopy.tree(corpus.resolve("documents"), data.resolve("documents"));
      FolderCopy.tree(corpus.resolve("evaluation"), data.resolve("evaluation"));
    }
    FolderCopy.file(corpus.resolve("report.json"), data.resolve("report.json"));
    FolderCopy.file(corpus.resolve(Manifest.FILE_NAME), data.resolve(Manifest.FILE_NAME));
  }

  /// Copies the first artefact of `kind`: whole, or its manifest alone.
  private void copyFirst(String kind, String name, boolean whole) throws IOException {
    Optional<Artefact> artefact = artefacts.first(kind);
    if (artefact.isPresent() && whole) {
      FolderCopy.tree(artefact.get().path(), folder.resolve(name));
    } else if (artefact.isPresent()) {
      FolderCopy.file(
          artefact.get().path().resolve(Manifest.FILE_NAME),
          folder.resolve(name).resolve(Manifest.FILE_NAME));
    }
  }

  private void copyUnmanifestedEvaluation() throws IOException {
    Path run = artefacts.run().resolve("evaluation");
    if (!Files.exists(folder.resolve(ReleaseFolder.EVALUATION))
        && Files.isRegularFile(run.resolve("results.json"))) {
      FolderCopy.tree(run, folder.resolve(ReleaseFolder.EVALUATION));
    }
  }

  private void copyCode(Artefact last) throws IOException {
    CodeVersion code = last.manifest().code();
    StringBuilder text = new StringBuilder("Moxin for Java " + code.version() + "\n");
    text.append("commit ").append(code.commit());
    text.append(code.modified() ? ", with local changes\n" : "\n");
    Path target = folder.resolve(ReleaseFolder.CODE);
    Optional<Path> home =
        options.sources().filter(path -> Files.isRegularFile(path.resolve("pom.xml")));
    if (home.isPresent()) {
      text.append("The files beside this one are the code as it was when the release was built");
      text.append(
          !CodeVersion.current().equals(code)
              ? ", version " + CodeVersion.current().commit() + ".\n"
              : code.modified()
                  ? ", the same commit with changes that may be others.\n"
                  : ", the version that made the weights.\n");
      for (String name : ROOT_FILES) {
        FolderCopy.file(home.get().resolve(name), target.resolve(name));
      }
      FolderCopy.tree(home.get().resolve("recipes"), target.resolve("recipes"));
      try (Stream<Path> modules = Files.list(home.get())) {
        for (Path module :
            modules.filter(m -> Files.isRegularFile(m.resolve("pom.xml"))).toList()) {
          Path to = target.resolve(String.valueOf(module.getFileName()));
          FolderCopy.file(module.resolve("pom.xml"), to.resolve("pom.xml"));
          FolderCopy.tree(module.resolve("src"), to.resolve("src"));
        }
      }
    }
    AtomicFile.write(target.resolve("VERSION"), text.toString());
  }

  private void writeCards(ReleaseFacts facts) throws IOException {
    AtomicFile.write(folder.resolve(ReleaseFolder.MODEL_CARD), ModelCard.of(facts));
    if (!facts.corpus().isNull()) {
      AtomicFile.write(
          folder.resolve(ReleaseFolder.DATA_CARD),
          DataCard.of(facts, artefacts.first("corpus").map(Artefact::manifest)));
    }
    LicenceFiles.write(folder, facts, options.sources());
    AtomicFile.write(folder.resolve(ReleaseFolder.CARD), new CardWriter(folder, facts).toYaml());
  }

  private List<Manifest.Entry> manifestEntries() throws IOException {
    List<Manifest.Entry> entries = new ArrayList<>();
    for (Path file : RunArtefacts.manifests(folder)) {
      String name = folder.relativize(file).toString().replace('\\', '/');
      entries.add(Manifest.Entry.of(name, file));
    }
    return entries;
  }

  private static String nameOf(Path run) {
    return String.valueOf(run.toAbsolutePath().normalize().getFileName());
  }
}
