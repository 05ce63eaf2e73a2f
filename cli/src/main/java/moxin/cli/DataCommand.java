package moxin.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import moxin.cli.terminal.TerminalProgress;
import moxin.data.CorpusRecipe;
import moxin.data.Tokenization;
import moxin.data.spark.CorpusPreparation;
import moxin.data.spark.SparkRuntime;
import moxin.job.ContentHash;
import moxin.job.RecipeFile;
import moxin.text.Tokenizers;
import moxin.text.shard.CharacterShards;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `moxin data`.
@Command(
    name = "data",
    description = "Prepare a corpus.",
    mixinStandardHelpOptions = true,
    subcommands = {
      DataCommand.Prepare.class,
      DataCommand.Tokenize.class,
      DataCommand.Characters.class
    })
final class DataCommand {

  private DataCommand() {}

  /// `moxin data prepare`.
  @Command(
      name = "prepare",
      description =
          "Read, clean, filter, deduplicate and split documents by the section data: of a recipe.",
      mixinStandardHelpOptions = true)
  static final class Prepare implements Callable<Integer> {
    @Parameters(paramLabel = "RECIPE", description = "a recipe with a section data:")
    private Path recipe = Path.of("recipe.yaml");

    @Option(
        names = "--out",
        required = true,
        paramLabel = "DIR",
        description = "the corpus directory, replaced when the corpus is complete")
    private Path out = Path.of("corpus");

    @Option(
        names = "--master",
        paramLabel = "M",
        defaultValue = "local[*]",
        description = "the Spark master; default: ${DEFAULT-VALUE}, all cores of this machine")
    private String master = "local[*]";

    @Spec private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException {
      CorpusRecipe corpus = RecipeFile.read(recipe).requiredSection("data", CorpusRecipe.class);
      Path work = out.toAbsolutePath().resolveSibling("");
      try (SparkRuntime spark = SparkRuntime.connect(master, work)) {
        CorpusPreparation.run(corpus, out, spark, TerminalProgress.onStandardError());
      }
      spec.commandLine().getOut().println(out.resolve("report.json"));
      spec.commandLine().getOut().flush();
      return 0;
    }
  }

  /// `moxin data tokenize`.
  @Command(
      name = "tokenize",
      description = "Turn the documents of a corpus into token shards.",
      mixinStandardHelpOptions = true)
  static final class Tokenize implements Callable<Integer> {
    @Parameters(paramLabel = "CORPUS", description = "a corpus directory")
    private Path corpus = Path.of("corpus");

    @Option(
        names = "--tokenizer",
        required = true,
        paramLabel = "FILE",
        description = "a tokenizer.model, or a directory that has one")
    private Path tokenizer = Path.of("tokenizer.model");

    @Option(
        names = "--out",
        required = true,
        paramLabel = "DIR",
        description = "where the shards go, replaced when they are complete")
    private Path out = Path.of("tokens");

    @Spec private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException {
      Tokenization.Summary summary =
          Tokenization.run(
              corpus,
              Tokenizers.load(tokenizer),
              ContentHash.ofFile(Tokenizers.find(tokenizer)),
              out,
              TerminalProgress.onStandardError());
      spec.commandLine()
          .getOut()
          .println(summary.documents() + " documents, " + summary.tokens() + " tokens");
      spec.commandLine().getOut().flush();
      return 0;
    }
  }

  /// `moxin data characters`.
  @Command(
      name = "characters",
      description = {
        "Turn one text into character-level token shards: train.npy and validation.npy.",
        "Ids are the text's distinct characters in order; the last tenth is held out."
      },
      mixinStandardHelpOptions = true)
  static final class Characters implements Callable<Integer> {
    @Parameters(paramLabel = "TEXT", description = "a text file, UTF-8; or .gz of one")
    private Path text = Path.of("text.txt");

    @Option(
        names = "--out",
        required = true,
        paramLabel = "DIR",
        description = "where the shards and characters.txt go")
    private Path out = Path.of("characters");

    @Spec private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException {
      int characters = CharacterShards.write(text, out);
      spec.commandLine().getOut().println(characters + " characters");
      spec.commandLine().getOut().flush();
      return 0;
    }
  }
}
