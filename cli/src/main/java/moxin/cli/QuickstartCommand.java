package moxin.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import moxin.cli.quickstart.Quickstart;
import moxin.cli.terminal.TerminalProgress;
import moxin.infer.CpuModel;
import moxin.infer.EngineOptions;
import moxin.infer.GenerationOptions;
import moxin.infer.Generator;
import moxin.infer.SamplingOptions;
import moxin.job.BadInputException;
import moxin.job.Progress;
import moxin.job.RecipeFile;
import moxin.release.mof.OpennessClass;
import moxin.text.Tokenizers;
import moxin.train.run.RunDirectory;
import moxin.train.run.Training;
import moxin.train.run.TrainingStoppedException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `moxin quickstart`.
@Command(
    name = "quickstart",
    description = {
      "Make a small Moxin, from documents to a released model to talk to.",
      "Reads the sources of the running JDK, or any folder. A second run finds what is done; an"
          + " interrupted one goes on."
    },
    mixinStandardHelpOptions = true)
final class QuickstartCommand implements Callable<Integer> {
  private static final List<String> PROMPTS =
      List.of(
          "Throws IllegalArgumentException if",
          "    @Override\n    public String toString() {",
          "public static int");
  private static final SamplingOptions SAMPLING = new SamplingOptions(0.5, 0, 0.9, 0, 7);

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "runs/quickstart",
      description = "the run's directory; default: ${DEFAULT-VALUE}")
  private Path out = Path.of("runs/quickstart");

  @Option(
      names = "--corpus",
      paramLabel = "DIR",
      description =
          "text, Markdown, code, JSONL(.gz, .zst) or Parquet to read instead of the JDK's sources")
  private Optional<Path> corpus = Optional.empty();

  @Option(
      names = "--recipe",
      paramLabel = "RECIPE",
      description = "default: recipes/quickstart.yaml of this checkout")
  private Optional<Path> recipe = Optional.empty();

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "override a value of the recipe, as tokenizer.vocabSize=2048")
  private List<String> overrides = List.of();

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException, InterruptedException {
    Progress progress = TerminalProgress.onStandardError();
    long started = System.nanoTime();
    RecipeFile chosen = resolved();
    StoppableTraining training = StoppableTraining.alone(spec, progress);
    Quickstart.Result result;
    try {
      result = Quickstart.run(chosen, out, parts(chosen, training, progress), progress);
    } catch (TrainingStoppedException e) {
      return training.stopped(e, StoppableTraining.Resumption.SAME_COMMAND);
    }
    PrintWriter to = spec.commandLine().getOut();
    to.println();
    printFigures(result, to);
    printCompletions(result.model(), to);
    printNext(to);
    to.printf(Locale.ROOT, "%nTook %.1f minutes.%n", (System.nanoTime() - started) / 60e9);
    to.flush();
    return 0;
  }

  private static Quickstart.Parts parts(
      RecipeFile recipe, StoppableTraining training, Progress progress) {
    return new Quickstart.Parts(
        TrainingParts.onCpu(recipe, progress),
        TrainingParts::samples,
        TrainingParts::tasks,
        job -> training.run(job, Training.Start.RESUME),
        TrainCommand::model,
        TrainCommand::sources,
        VocabularyTraining::run);
  }

  private RecipeFile resolved() {
    Path home = Path.of(System.getProperty("moxin.home", "."));
    Path file = recipe.orElse(home.resolve("recipes").resolve("quickstart.yaml"));
    RecipeFile read = RecipeFile.read(file);
    List<String> all = new ArrayList<>();
    if (corpus.isPresent()) {
      if (!Files.exists(corpus.get())) {
        throw new BadInputException(corpus.get() + ": no such folder or file");
      }
      all.add(
          "data.sources=[{name: corpus, kind: files, path: \""
              + corpus.get().toAbsolutePath().toString().replace("\\", "\\\\").replace("\"", "\\\"")
              + "\"}]");
      int phases = read.tree().path("training").path("phases").size();
      for (int i = 0; i < phases; i++) {
        all.add("training.phases." + i + ".sources=[{name: corpus}]");
      }
      all.add("training.evaluation.sources=[{name: validation/corpus}]");
    }
    all.addAll(overrides);
    return read.withOverrides(all);
  }

  private static void printFigures(Quickstart.Result result, PrintWriter to) {
    var figures = result.summary();
    to.printf(
        Locale.ROOT,
        "Held-out text: %d documents, %d bytes%n",
        figures.heldoutDocuments(),
        figures.heldoutBytes());
    to.printf(Locale.ROOT, "  %-28s %8.3f bits per byte%n", "this model", figures.bitsPerByte());
    to.printf(Locale.ROOT, "  %-28s %8.3f bits per byte%n", "xz -9", figures.xzBitsPerByte());
    Double accuracy = figures.accuracy();
    if (accuracy != null) {
      to.printf(
          Locale.ROOT,
          "Which description belongs to this method? %.1f %% right, by length %.1f %% (chance 25"
              + " %%)%n",
          100 * accuracy,
          100 * figures.accuracyNormalisedOrNaN());
    }
    to.printf(
        "Openness of the release: %s; to the next class it lacks %s%n",
        result.release().reached().map(OpennessClass::label).orElse("unclassified"),
        result.release().lacking().stream().map(component -> component.label()).toList());
  }

  private static void printCompletions(Path model, PrintWriter to) throws IOException {
    to.println();
    try (CpuModel engine = CpuModel.load(model, EngineOptions.defaults())) {
      Generator generator = new Generator(engine, Tokenizers.load(model));
      for (String prompt : PROMPTS) {
        GenerationOptions options = new GenerationOptions(SAMPLING, 48, List.of());
        String text = prompt + generator.generate(prompt, options).text();
        to.println(text.indent(4).stripTrailing());
        to.println("    ----");
      }
    }
  }

  private void printNext(PrintWriter to) {
    Path model = new RunDirectory(out).checkpoints().resolve("latest");
    to.println("Try next:");
    to.println("  ./moxin chat --model " + model);
    to.println("  ./moxin generate --model " + model + " --prompt \"public static\"");
    to.println(
        "  ./moxin eval --model " + model + " --tasks heldout --data " + out.resolve("data"));
    to.println("and open " + out.resolve("report.html"));
  }
}
