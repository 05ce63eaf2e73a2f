package moxin.cli;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import moxin.cli.terminal.TerminalProgress;
import moxin.eval.Perplexity;
import moxin.infer.CpuModel;
import moxin.job.BadInputException;
import moxin.text.Tokenizer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `moxin perplexity`.
@Command(
    name = "perplexity",
    description = {
      "Measure how well a model predicts a text, by the rule of llama.cpp's llama-perplexity.",
      "The text is cut into chunks of the context's length; the second half of each is predicted."
          + " Lower is better, and figures of models with the same tokenizer compare."
    },
    mixinStandardHelpOptions = true)
final class PerplexityCommand implements Callable<Integer> {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final int DEFAULT_CONTEXT = 512;

  @Mixin private ModelSource source = new ModelSource();

  @Parameters(paramLabel = "FILE", description = "a text in UTF-8")
  private Path file = Path.of("text");

  @Option(
      names = "--context",
      paramLabel = "N",
      description = "tokens of a chunk; default: 512, or the model's context where it is less")
  private @Nullable Integer context;

  @Option(
      names = "--chunks",
      paramLabel = "N",
      description = "the most chunks to read; default: all")
  private @Nullable Integer chunks;

  @Option(
      names = "--json",
      description =
          "print {\"perplexity\", \"standardError\", \"context\", \"chunks\", \"scoredTokens\"}")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    Integer most = chunks;
    if (most != null && most < 1) {
      throw new BadInputException("--chunks must be at least 1, found " + most);
    }
    String text = text();
    Tokenizer tokenizer = source.tokenizer();
    Perplexity result;
    try (CpuModel model = source.load()) {
      Integer asked = context;
      int length =
          asked == null ? Math.min(DEFAULT_CONTEXT, model.config().maxPositionEmbeddings()) : asked;
      result =
          Perplexity.of(
              model,
              tokenizer,
              text,
              length,
              most == null ? OptionalInt.empty() : OptionalInt.of(most),
              TerminalProgress.onStandardError());
    } catch (IllegalArgumentException e) {
      throw new BadInputException(String.valueOf(e.getMessage()), e);
    }
    print(result, spec.commandLine().getOut());
    return 0;
  }

  private String text() throws IOException {
    try {
      return Files.readString(file);
    } catch (CharacterCodingException e) {
      throw new BadInputException(file + ": not UTF-8", e);
    }
  }

  private void print(Perplexity result, PrintWriter out) throws IOException {
    if (json) {
      ObjectNode root = JSON.createObjectNode();
      root.put("perplexity", result.perplexity())
          .put("standardError", result.standardError())
          .put("context", result.context())
          .put("chunks", result.chunks())
          .put("scoredTokens", result.scoredTokens());
      out.println(JSON.writeValueAsString(root));
    } else {
      out.printf(
          Locale.ROOT,
          "perplexity %.4f ± %.4f: %d tokens predicted in %d chunks of %d%n",
          result.perplexity(),
          result.standardError(),
          result.scoredTokens(),
          result.chunks(),
          result.context());
    }
    out.flush();
  }
}
