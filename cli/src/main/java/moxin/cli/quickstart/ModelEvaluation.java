package moxin.cli.quickstart;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import moxin.data.Documents;
import moxin.eval.Evaluation;
import moxin.eval.EvaluationOptions;
import moxin.eval.EvaluationResults;
import moxin.eval.HeldOut;
import moxin.eval.JavadocChoice;
import moxin.eval.Metric;
import moxin.eval.XzBaseline;
import moxin.infer.CpuModel;
import moxin.infer.EngineOptions;
import moxin.job.AtomicDirectory;
import moxin.job.AtomicFile;
import moxin.job.Manifest;
import moxin.job.Progress;
import moxin.text.Tokenizer;
import moxin.text.Tokenizers;
import org.jspecify.annotations.Nullable;

/// Evaluates a finished model on the held-out side of its corpus, beside `xz -9` on the same text.
public final class ModelEvaluation {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final String SUMMARY = "summary.json";

  private ModelEvaluation() {}

  /// The figures that are shown at the end.
  ///
  /// @param heldoutBytes of the text that was scored
  /// @param accuracy on questions made of held-out Javadoc; null where the corpus has none
  public record Summary(
      double bitsPerByte,
      double xzBitsPerByte,
      double perplexity,
      long heldoutDocuments,
      long heldoutBytes,
      @Nullable Double accuracy,
      @Nullable Double accuracyNormalised,
      @Nullable Double accuracyError) {

    /// The accuracy by length, or NaN where the corpus has no questions.
    public double accuracyNormalisedOrNaN() {
      return accuracyNormalised == null ? Double.NaN : accuracyNormalised;
    }
  }

  /// Writes `results.json`, samples and `summary.json` into `out`, which appears when complete.
  static void run(Path corpus, Path model, EvaluationRecipe recipe, Path out, Progress progress)
      throws IOException {
    HeldOut heldOut = HeldOut.read(corpus.resolve(Documents.FOLDER).resolve("validation"));
    OptionalInt documents = OptionalInt.of(recipe.heldoutDocuments());
    Path javadoc = corpus.resolve("evaluation").resolve("javadoc.jsonl");
    boolean questions = Files.isRegularFile(javadoc) && Files.size(javadoc) > 0;
    EvaluationResults text;
    EvaluationResults choices = null;
    try (CpuModel engine = CpuModel.load(model, EngineOptions.defaults())) {
      Tokenizer tokenizer = Tokenizers.load(model);
      EvaluationOptions some = new EvaluationOptions(0, documents);
      text = Evaluation.run(List.of(heldOut), engine, tokenizer, some, progress);
      if (questions) {
        choices =
            Evaluation.run(
                List.of(JavadocChoice.read(javadoc)),
                engine,
                tokenizer,
                new EvaluationOptions(0, OptionalInt.of(recipe.questions())),
                progress);
      }
    }
    List<EvaluationResults.TaskResult> tasks = new ArrayList<>(text.tasks());
    if (choices != null) {
      tasks.addAll(choices.tasks());
    }
    try (AtomicDirectory directory = AtomicDirectory.open(out)) {
      new EvaluationResults(text.options(), tasks)
          .write(directory.path(), String.valueOf(model.getFileName()));
      AtomicFile.write(
          directory.path().resolve(SUMMARY),
          JSON.writerWithDefaultPrettyPrinter()
              .writeValueAsString(summary(heldOut.documents(documents), text, choices)));
      Manifest.write(
          directory.path(),
          "evaluation",
          null,
          List.of(
              Manifest.Entry.of("model", model.resolve("model.safetensors")),
              Manifest.Entry.of("documents", corpus.resolve(Documents.FOLDER))));
      directory.commit();
    }
  }

  /// The summary in `directory`.
  static Summary read(Path directory) throws IOException {
    return JSON.readValue(directory.resolve(SUMMARY).toFile(), Summary.class);
  }

  private static Summary summary(
      List<HeldOut.Document> documents, EvaluationResults text, @Nullable EvaluationResults mc) {
    EvaluationResults.TaskResult heldOut = text.task("heldout");
    EvaluationResults.TaskResult choice = mc == null ? null : mc.task("javadoc_mc");
    return new Summary(
        heldOut.value(Metric.BITS_PER_BYTE),
        XzBaseline.bitsPerByte(documents.stream().map(HeldOut.Document::text).toList()),
        heldOut.value(Metric.TOKEN_PERPLEXITY),
        documents.size(),
        documents.stream().mapToLong(HeldOut.Document::byteSize).sum(),
        choice == null ? null : choice.value(Metric.ACC),
        choice == null ? null : choice.value(Metric.ACC_NORM),
        choice == null ? null : choice.standardError(Metric.ACC).orElse(Double.NaN));
  }
}
