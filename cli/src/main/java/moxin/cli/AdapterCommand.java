package moxin.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import moxin.cli.terminal.TerminalProgress;
import moxin.job.AtomicDirectory;
import moxin.job.BadInputException;
import moxin.job.Manifest;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.model.SafetensorsCheckpoint;
import moxin.train.adapter.AdapterFile;
import moxin.train.adapter.AdapterMerge;
import moxin.train.adapter.AdapterMerge.Direction;
import moxin.train.adapter.AdapterSettings;
import moxin.train.adapter.PeftConfig;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `moxin adapter`.
@Command(
    name = "adapter",
    description = "Add a low-rank adapter in PEFT's format to a model, or take it away again.",
    mixinStandardHelpOptions = true,
    subcommands = {AdapterCommand.MergeCommand.class, AdapterCommand.UnmergeCommand.class})
final class AdapterCommand {
  private static final String KIND = "merged model";

  /// Carried over from the model's directory beside `*.model`: what says nothing of the weights.
  private static final List<String> KEPT =
      List.of(
          "tokenizer.json",
          "tokenizer_config.json",
          "special_tokens_map.json",
          "generation_config.json",
          "chat_template.jinja");

  private AdapterCommand() {}

  /// The types that a model directory can have.
  enum Type {
    F32,
    BF16,
    F16
  }

  /// What both commands take.
  static final class Choice {
    @Option(
        names = "--out",
        required = true,
        paramLabel = "DIR",
        description = "the model to write")
    private Path out = Path.of("model");

    @Option(
        names = "--type",
        paramLabel = "TYPE",
        defaultValue = "F32",
        description =
            "${COMPLETION-CANDIDATES}, in any case; default: F32, from which the adapter can be"
                + " taken away again")
    private Type type = Type.F32;
  }

  /// `moxin adapter merge`.
  @Command(
      name = "merge",
      description = "Write BASE with ADAPTER added to its weights.",
      mixinStandardHelpOptions = true)
  static final class MergeCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "BASE", description = "a model directory")
    private Path base = Path.of("model");

    @Parameters(index = "1", paramLabel = "ADAPTER", description = "a directory in PEFT's format")
    private Path adapter = Path.of("adapter");

    @Mixin private Choice choice = new Choice();

    @Spec private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException {
      return write(spec, base, adapter, choice, Direction.MERGE);
    }
  }

  /// `moxin adapter unmerge`.
  @Command(
      name = "unmerge",
      description = "Write MERGED with ADAPTER taken away from its weights.",
      mixinStandardHelpOptions = true)
  static final class UnmergeCommand implements Callable<Integer> {
    @Parameters(
        index = "0",
        paramLabel = "MERGED",
        description = "a model directory that moxin adapter merge wrote")
    private Path merged = Path.of("merged");

    @Parameters(index = "1", paramLabel = "ADAPTER", description = "the adapter that is in it")
    private Path adapter = Path.of("adapter");

    @Mixin private Choice choice = new Choice();

    @Spec private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException {
      return write(spec, merged, adapter, choice, Direction.UNMERGE);
    }
  }

  private static int write(
      CommandSpec spec, Path model, Path adapter, Choice choice, Direction direction)
      throws IOException {
    if (Files.exists(choice.out)) {
      throw new BadInputException(choice.out + " exists already; choose another directory");
    }
    ModelConfig config = ModelConfigFile.read(model);
    AdapterSettings settings = PeftConfig.read(adapter).settings();
    try (SafetensorsCheckpoint weights = SafetensorsCheckpoint.open(model);
        SafetensorsCheckpoint factors = AdapterFile.open(adapter, settings, config);
        AtomicDirectory growing = AtomicDirectory.open(choice.out)) {
      Path directory = growing.path();
      new AdapterMerge(config, weights, factors, settings)
          .toDirectory(
              directory,
              DType.valueOf(choice.type.name()),
              direction,
              TerminalProgress.onStandardError());
      copyKept(model, directory);
      List<Manifest.Entry> inputs =
          List.of(
              Manifest.Entry.of("model", model.toRealPath()),
              Manifest.Entry.of("adapter", adapter.toRealPath()));
      Manifest.write(directory, KIND, recipe(choice, direction), inputs);
      growing.commit();
    }
    spec.commandLine().getOut().println(choice.out);
    spec.commandLine().getOut().flush();
    return 0;
  }

  private static void copyKept(Path model, Path directory) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.list(model)) {
      files = all.filter(Files::isRegularFile).sorted().toList();
    }
    for (Path file : files) {
      String name = file.getFileName().toString();
      if (KEPT.contains(name) || name.endsWith(".model")) {
        Files.copy(file, directory.resolve(name));
      }
    }
  }

  private static ObjectNode recipe(Choice choice, Direction direction) {
    return JsonNodeFactory.instance
        .objectNode()
        .put("adapter", direction.name().toLowerCase(Locale.ROOT))
        .put("type", choice.type.name().toLowerCase(Locale.ROOT));
  }
}
