package moxin.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import moxin.cli.terminal.TerminalProgress;
import moxin.job.BadInputException;
import moxin.job.Progress;
import moxin.job.RecipeFile;
import moxin.model.ModelConfig;
import moxin.model.ModelRecipe;
import moxin.text.Tokenizer;
import moxin.text.Tokenizers;
import moxin.train.recipe.TrainingRecipe;
import moxin.train.report.RunReport;
import moxin.train.run.RunDirectory;
import moxin.train.run.Training;
import moxin.train.run.TrainingJob;
import moxin.train.run.TrainingStoppedException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `moxin train`.
@Command(
    name = "train",
    description = {
      "Train a model by the sections model: and training: of a recipe.",
      "With --dry-run, say what it takes and whether it fits, and train nothing."
    },
    mixinStandardHelpOptions = true,
    subcommands = {TrainDocumentsCommand.class, VerifyResumeCommand.class})
final class TrainCommand implements Callable<Integer> {
  // Neither is required by picocli, which would ask for them before a subcommand too.
  @Parameters(arity = "0..1", paramLabel = "RECIPE", description = "the recipe")
  private @Nullable Path recipe;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "the run's directory: metrics, samples, checkpoints; required to train")
  private @Nullable Path out;

  @Mixin private DryRun dryRun = new DryRun();

  @Mixin private LaunchChoice launch = new LaunchChoice();

  @Option(names = "--resume", description = "go on from the newest checkpoint in DIR")
  private boolean resume;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "override a value of the recipe, as training.phases.0.steps=100")
  private List<String> overrides = List.of();

  @Option(
      names = "--tokens",
      paramLabel = "DIR",
      description =
          "token shards as moxin data tokenize makes them; the recipe's sources are then called by"
              + " their names, held-out ones as validation/NAME")
  private Optional<Path> tokens = Optional.empty();

  @Option(
      names = "--tokenizer",
      paramLabel = "FILE",
      description = "copied into every checkpoint, and gives the vocabulary's size")
  private Optional<Path> tokenizer = Optional.empty();

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "cpu",
      description = "cpu or cuda, the first GPU of an installed PyTorch; default: ${DEFAULT-VALUE}")
  private DeviceChoice device = DeviceChoice.CPU;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException, InterruptedException {
    required(recipe, "RECIPE");
    OptionalInt launched = dryRun.isWanted() ? OptionalInt.empty() : launch.run(spec);
    if (launched.isPresent()) {
      return launched.getAsInt();
    }
    return Processes.run(this::train, spec.commandLine().getErr());
  }

  private int train(Processes processes) throws IOException, InterruptedException {
    RecipeFile file = RecipeFile.read(required(recipe, "RECIPE")).withOverrides(overrides);
    Map<String, Path> named = tokens.isPresent() ? sources(tokens.get()) : Map.of();
    if (dryRun.isWanted()) {
      return dryRun.run(file, model(file, tokenizer), named, spec.commandLine());
    }
    Path run = required(out, "--out=DIR");
    Progress progress = TerminalProgress.onStandardError();
    TrainingJob job =
        new TrainingJob(
            file,
            new RunDirectory(run),
            model(file, tokenizer),
            processes.learners(file, TrainingParts.on(device.device(), file, progress), progress),
            named,
            tokenizer,
            TrainingParts.vocabulary(TrainingRecipe.of(file), tokenizer)
                .map(TrainingParts::samples),
            TrainingParts.tasks(file, tokenizer, run.resolve("data")),
            OptionalDouble.empty());
    int code = train(job, StoppableTraining.by(processes, spec, progress));
    RunReport.write(run);
    return code;
  }

  /// Trains, prints the last checkpoint, and returns the exit code.
  private int train(TrainingJob job, StoppableTraining training)
      throws IOException, InterruptedException {
    try {
      PrintWriter to = spec.commandLine().getOut();
      Training.Start start = resume ? Training.Start.RESUME : Training.Start.FRESH;
      to.println(training.run(job, start).checkpoint());
      to.flush();
      return CommandLine.ExitCode.OK;
    } catch (TrainingStoppedException e) {
      return training.stopped(e, StoppableTraining.Resumption.RESUME_OPTION);
    }
  }

  private Path required(@Nullable Path given, String name) {
    if (given == null) {
      throw new ParameterException(
          spec.commandLine(), "Missing required parameter: '" + name + "'");
    }
    return given;
  }

  /// The shape that `recipe` names, for the vocabulary of `tokenizer` where there is one, else of
  /// the size that its own section tokenizer: asks for; empty when the recipe leaves it to an
  /// initial checkpoint.
  static Optional<ModelConfig> model(RecipeFile recipe, Optional<Path> tokenizer)
      throws IOException {
    Optional<ModelRecipe> section = recipe.section("model", ModelRecipe.class);
    if (section.isEmpty()) {
      return Optional.empty();
    }
    if (tokenizer.isEmpty()) {
      int wanted = recipe.tree().path("tokenizer").path("vocabSize").asInt(0);
      if (wanted <= 0 && section.get().vocabSize() == null) {
        throw new BadInputException(
            "the vocabulary's size is unknown; give --tokenizer, or vocabSize in the section"
                + " model:");
      }
      return Optional.of(section.get().config(wanted, OptionalInt.empty(), OptionalInt.empty()));
    }
    Tokenizer vocabulary = Tokenizers.load(tokenizer.get());
    return Optional.of(
        section
            .get()
            .config(
                vocabulary.vocabSize(), vocabulary.beginOfSequence(), vocabulary.endOfSequence()));
  }

  /// The sources in a directory of token shards: `NAME` for training, `validation/NAME` held out.
  static Map<String, Path> sources(Path tokens) throws IOException {
    Map<String, Path> sources = new TreeMap<>();
    for (String split : List.of("train", "validation")) {
      Path folder = tokens.resolve(split);
      if (!Files.isDirectory(folder)) {
        continue;
      }
      try (Stream<Path> names = Files.list(folder)) {
        names
            .filter(Files::isDirectory)
            .forEach(
                path -> {
                  String name = String.valueOf(path.getFileName());
                  sources.put(split.equals("train") ? name : split + "/" + name, path);
                });
      }
    }
    if (sources.isEmpty()) {
      throw new BadInputException(tokens + ": no token shards; make them with moxin data tokenize");
    }
    return sources;
  }
}
