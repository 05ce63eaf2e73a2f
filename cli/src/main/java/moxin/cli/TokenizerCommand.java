package moxin.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import moxin.cli.terminal.TerminalProgress;
import moxin.job.RecipeFile;
import moxin.text.Tokenizer;
import moxin.text.Tokenizers;
import moxin.text.sentencepiece.TokenizerRecipe;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `moxin tokenizer`.
@Command(
    name = "tokenizer",
    description = "Turn text into token ids and back.",
    mixinStandardHelpOptions = true,
    subcommands = {
      TokenizerCommand.Train.class,
      TokenizerCommand.Encode.class,
      TokenizerCommand.Decode.class
    })
final class TokenizerCommand {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private TokenizerCommand() {}

  /// Reads JSON lines from standard input and writes one for each to standard output.
  abstract static class Filter implements Callable<Integer> {
    @Option(
        names = "--tokenizer",
        required = true,
        paramLabel = "FILE",
        description = "a tokenizer.model, or a model directory or GGUF file that has one")
    private Path file = Path.of("tokenizer.model");

    @Spec private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException {
      Tokenizer tokenizer = Tokenizers.load(file);
      PrintWriter out = spec.commandLine().getOut();
      JsonLineInput in = JsonLineInput.standard();
      for (JsonNode line = in.next(); line != null; line = in.next()) {
        out.println(JSON.writeValueAsString(answer(tokenizer, line, in)));
      }
      out.flush();
      return 0;
    }

    abstract ObjectNode answer(Tokenizer tokenizer, JsonNode line, JsonLineInput in);
  }

  /// `moxin tokenizer encode`.
  @Command(
      name = "encode",
      description = "Read {\"text\": …} lines, write {\"ids\": […]} lines.",
      mixinStandardHelpOptions = true)
  static final class Encode extends Filter {
    @Option(names = "--bos", description = "put the beginning-of-sequence id first")
    private boolean bos;

    @Override
    ObjectNode answer(Tokenizer tokenizer, JsonNode line, JsonLineInput in) {
      JsonNode text = line.path("text");
      if (!text.isTextual()) {
        throw in.wrong("expected {\"text\": \"…\"}");
      }
      ObjectNode answer = JSON.createObjectNode();
      ArrayNode ids = answer.putArray("ids");
      if (bos) {
        tokenizer.beginOfSequence().ifPresent(ids::add);
      }
      for (int id : tokenizer.encode(text.textValue())) {
        ids.add(id);
      }
      return answer;
    }
  }

  /// `moxin tokenizer decode`.
  @Command(
      name = "decode",
      description = "Read {\"ids\": […]} lines, write {\"text\": …} lines.",
      mixinStandardHelpOptions = true)
  static final class Decode extends Filter {

    @Override
    ObjectNode answer(Tokenizer tokenizer, JsonNode line, JsonLineInput in) {
      JsonNode list = line.path("ids");
      int[] ids = new int[list.size()];
      boolean valid = list.isArray();
      for (int i = 0; i < ids.length; i++) {
        JsonNode id = list.get(i);
        valid &= id.isInt() && id.intValue() >= 0 && id.intValue() < tokenizer.vocabSize();
        ids[i] = id.intValue();
      }
      if (!valid) {
        throw in.wrong(
            "expected {\"ids\": [n, …]} with ids from 0 to " + (tokenizer.vocabSize() - 1));
      }
      return JSON.createObjectNode().put("text", tokenizer.decode(ids));
    }
  }

  /// `moxin tokenizer train`.
  @Command(
      name = "train",
      description = "Train a BPE vocabulary with byte fallback on a corpus.",
      mixinStandardHelpOptions = true)
  static final class Train implements Callable<Integer> {
    @Parameters(paramLabel = "CORPUS", description = "a corpus as moxin data prepare makes it")
    private Path corpus = Path.of("corpus");

    @Option(
        names = "--out",
        required = true,
        paramLabel = "DIR",
        description = "where tokenizer.model and tokenizer.json go")
    private Path out = Path.of("tokenizer");

    @Option(
        names = "--vocab-size",
        paramLabel = "N",
        defaultValue = "8192",
        description = "how many pieces; default: ${DEFAULT-VALUE}")
    private int vocabSize;

    @Option(
        names = "--recipe",
        paramLabel = "RECIPE",
        description = "take the section tokenizer: of this recipe instead of --vocab-size")
    private Optional<Path> recipe = Optional.empty();

    @Spec private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() throws IOException {
      TokenizerRecipe chosen =
          recipe.isPresent()
              ? RecipeFile.read(recipe.get()).requiredSection("tokenizer", TokenizerRecipe.class)
              : TokenizerRecipe.ofVocabSize(vocabSize);
      VocabularyTraining.run(corpus, chosen, out, TerminalProgress.onStandardError());
      spec.commandLine().getOut().println(out.resolve("tokenizer.model"));
      spec.commandLine().getOut().flush();
      return 0;
    }
  }
}
