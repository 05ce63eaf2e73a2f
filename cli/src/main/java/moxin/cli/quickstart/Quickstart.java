package moxin.cli.quickstart;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;
import moxin.data.CorpusRecipe;
import moxin.data.Documents;
import moxin.data.Tokenization;
import moxin.data.spark.CorpusPreparation;
import moxin.data.spark.SparkRuntime;
import moxin.job.AtomicDirectory;
import moxin.job.AtomicFile;
import moxin.job.CodeVersion;
import moxin.job.ContentHash;
import moxin.job.Manifest;
import moxin.job.Progress;
import moxin.job.RecipeFile;
import moxin.model.ModelConfig;
import moxin.release.ReleaseBuilder;
import moxin.release.ReleaseCheck;
import moxin.release.ReleaseOptions;
import moxin.text.Tokenizers;
import moxin.text.sentencepiece.TokenizerRecipe;
import moxin.train.LearnerFactory;
import moxin.train.report.RunReport;
import moxin.train.run.RunDirectory;
import moxin.train.run.SampleGenerator;
import moxin.train.run.TaskRunner;
import moxin.train.run.TrainingJob;
import moxin.train.run.TrainingResult;

/// Runs the pipeline in a run directory: corpus, tokenizer, token shards, training, evaluation,
/// report, release. A step whose inputs have not changed is not made again; a killed one is made
/// again, training from its newest checkpoint.
public final class Quickstart {
  private final RecipeFile recipe;
  private final Path run;
  private final Parts parts;
  private final Progress progress;
  private final StepLedger ledger;

  /// What the steps take from the composition root.
  ///
  /// @param learners makes the learner
  /// @param samples writes samples with the tokenizer at a path
  /// @param tasks asks the recipe's evaluation tasks
  /// @param trainer trains
  /// @param model the shape that a recipe names for the tokenizer at a path
  /// @param sources the token shards of a directory by the names that recipes use
  /// @param vocabulary trains a tokenizer
  public record Parts(
      LearnerFactory learners,
      Function<Path, SampleGenerator> samples,
      TaskStep tasks,
      TrainingStep trainer,
      ModelShape model,
      SourceNames sources,
      VocabularyStep vocabulary) {}

  /// Makes what asks the evaluation tasks of a recipe, over a corpus.
  @FunctionalInterface
  public interface TaskStep {
    Optional<TaskRunner> of(RecipeFile recipe, Optional<Path> tokenizer, Path corpus)
        throws IOException;
  }

  /// Trains, going on from the newest checkpoint.
  @FunctionalInterface
  public interface TrainingStep {
    /// @throws moxin.train.run.TrainingStoppedException if it was asked to stop
    TrainingResult run(TrainingJob job) throws IOException, InterruptedException;
  }

  /// Finds the shape that a recipe names.
  @FunctionalInterface
  public interface ModelShape {
    Optional<ModelConfig> of(RecipeFile recipe, Optional<Path> tokenizer) throws IOException;
  }

  /// Finds the sources of a directory of token shards.
  @FunctionalInterface
  public interface SourceNames {
    Map<String, Path> in(Path tokens) throws IOException;
  }

  /// Trains a vocabulary on a corpus.
  @FunctionalInterface
  public interface VocabularyStep {
    void run(Path corpus, TokenizerRecipe recipe, Path out, Progress progress) throws IOException;
  }

  /// What a run came to.
  ///
  /// @param model the final checkpoint
  /// @param summary of the evaluation
  /// @param release what the released files amount to
  public record Result(Path model, ModelEvaluation.Summary summary, ReleaseCheck.Report release) {}

  private Quickstart(RecipeFile recipe, Path run, Parts parts, Progress progress)
      throws IOException {
    this.recipe = recipe;
    this.run = run;
    this.parts = parts;
    this.progress = progress;
    this.ledger = StepLedger.open(run);
  }

  /// Runs what is not done yet of `recipe` in `run`.
  ///
  /// @throws InterruptedException if the thread is interrupted; the next run goes on
  /// @throws moxin.train.run.TrainingStoppedException if training was asked to stop; the same
  public static Result run(RecipeFile recipe, Path run, Parts parts, Progress progress)
      throws IOException, InterruptedException {
    Files.createDirectories(run);
    return new Quickstart(recipe, run, parts, progress).run();
  }

  private Result run() throws IOException, InterruptedException {
    Path corpus = corpus();
    String documents = ContentHash.ofDirectory(corpus.resolve(Documents.FOLDER));
    Path tokenizer = tokenizer(corpus, documents);
    String vocabulary = ContentHash.ofFile(Tokenizers.find(tokenizer));
    Path tokens = tokens(corpus, documents, tokenizer, vocabulary);
    Path model = train(tokens, tokenizer, List.of(documents, vocabulary));
    ModelEvaluation.Summary summary = evaluate(corpus, documents, model);
    RunReport.write(run);
    return new Result(model, summary, release(model));
  }

  private Path corpus() throws IOException {
    Path out = run.resolve("data");
    CorpusRecipe section = recipe.requiredSection("data", CorpusRecipe.class);
    String key = key("corpus", text("data"), CorpusInputs.fingerprint(section));
    if (!isDone("corpus", key, out)) {
      try (SparkRuntime spark = SparkRuntime.local(run)) {
        CorpusPreparation.run(section, out, spark, progress);
      }
      ledger.done("corpus", key, out);
    }
    return out;
  }

  private Path tokenizer(Path corpus, String documents) throws IOException {
    Path out = run.resolve("tokenizer");
    TokenizerRecipe section = recipe.requiredSection("tokenizer", TokenizerRecipe.class);
    String key = key("tokenizer", text("tokenizer"), documents);
    if (!isDone("tokenizer", key, out)) {
      parts.vocabulary().run(corpus, section, out, progress);
      ledger.done("tokenizer", key, out);
    }
    return out;
  }

  private Path tokens(Path corpus, String documents, Path tokenizer, String vocabulary)
      throws IOException {
    Path out = run.resolve("tokens");
    String key = key("tokens", documents, vocabulary);
    if (!isDone("tokens", key, out)) {
      Tokenization.run(corpus, Tokenizers.load(tokenizer), vocabulary, out, progress);
      ledger.done("tokens", key, out);
    }
    return out;
  }

  private Path train(Path tokens, Path tokenizer, List<String> inputs)
      throws IOException, InterruptedException {
    RunDirectory directory = new RunDirectory(run);
    String key = key("training", text("training"), text("model"), String.join(",", inputs));
    Path latest = directory.checkpoints().resolve("latest");
    if (isDone("training", key, latest)) {
      return latest.toRealPath();
    }
    forgetOtherTraining(directory, key);
    TrainingJob job =
        new TrainingJob(
            recipe,
            directory,
            parts.model().of(recipe, Optional.of(tokenizer)),
            parts.learners(),
            parts.sources().in(tokens),
            Optional.of(tokenizer),
            Optional.of(parts.samples().apply(tokenizer)),
            parts.tasks().of(recipe, Optional.of(tokenizer), run.resolve("data")),
            OptionalDouble.empty());
    Path model = parts.trainer().run(job).checkpoint();
    ledger.done("training", key, model);
    return model.toRealPath();
  }

  /// Checkpoints of other data or of another recipe cannot be gone on from.
  private void forgetOtherTraining(RunDirectory directory, String key) throws IOException {
    Path marker = run.resolve("training.key");
    if (Files.exists(marker) && Files.readString(marker).strip().equals(key)) {
      return;
    }
    AtomicDirectory.deleteTree(directory.checkpoints());
    for (Path file :
        List.of(
            directory.metrics(),
            directory.validation(),
            directory.evaluation(),
            directory.samples())) {
      Files.deleteIfExists(file);
    }
    AtomicFile.write(marker, key + "\n");
  }

  private ModelEvaluation.Summary evaluate(Path corpus, String documents, Path model)
      throws IOException {
    Path out = run.resolve("evaluation");
    EvaluationRecipe section =
        recipe
            .section("evaluation", EvaluationRecipe.class)
            .orElseGet(() -> new EvaluationRecipe(null, null));
    String weights = ContentHash.ofFile(model.resolve("model.safetensors"));
    String key = key("evaluation", text("evaluation"), documents, weights);
    if (!isDone("evaluation", key, out)) {
      ModelEvaluation.run(corpus, model, section, out, progress);
      ledger.done("evaluation", key, out);
    }
    return ModelEvaluation.read(out);
  }

  private ReleaseCheck.Report release(Path model) throws IOException {
    Path out = run.resolve("release");
    String evaluation = ContentHash.ofFile(run.resolve("evaluation").resolve(Manifest.FILE_NAME));
    String weights = ContentHash.ofFile(model.resolve("model.safetensors"));
    String key = key("release", text("release"), evaluation, weights);
    if (isDone("release", key, out)) {
      return ReleaseCheck.check(out);
    }
    ReleaseCheck.Report report =
        ReleaseBuilder.build(run, out, ReleaseOptions.ofRunningProgram(), progress);
    ledger.done("release", key, out);
    return report;
  }

  private boolean isDone(String step, String key, Path artefact) throws IOException {
    boolean done = ledger.isDone(step, key, artefact);
    if (done) {
      progress.note(step + ": done already");
    }
    return done;
  }

  private String key(String step, String... inputs) {
    List<String> all = new ArrayList<>(List.of(step, CodeVersion.current().version()));
    all.addAll(List.of(inputs));
    all.add(Long.toString(recipe.seed()));
    return StepLedger.key(all);
  }

  private String text(String section) {
    JsonNode node = recipe.tree().get(section);
    return node == null ? "" : node.toString();
  }
}
