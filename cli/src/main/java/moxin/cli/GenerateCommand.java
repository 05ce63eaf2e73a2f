package moxin.cli;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import moxin.infer.CpuModel;
import moxin.infer.Generation;
import moxin.infer.GenerationEvent;
import moxin.infer.GenerationOptions;
import moxin.infer.Generator;
import moxin.infer.ScoredToken;
import moxin.job.BadInputException;
import moxin.text.Tokenizer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `moxin generate`.
@Command(
    name = "generate",
    description = {
      "Continue a text, or with --input every text of a file.",
      "Input lines are {\"prompt\": …} and may have \"id\", which the answer repeats, and"
          + " \"maxNewTokens\". Answers are JSON lines in the order of the prompts: {\"id\", \"text\","
          + " \"finishReason\", \"promptTokens\", \"newTokens\"}, or {\"id\", \"line\", \"error\"}."
          + " Ctrl-C keeps what is finished; the same command goes on."
    },
    mixinStandardHelpOptions = true)
final class GenerateCommand implements Callable<Integer> {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  @Mixin private ModelSource source = new ModelSource();
  @Mixin private SamplingChoice sampling = new SamplingChoice();
  @Mixin private SpeculationChoice speculation = new SpeculationChoice();

  @Option(names = "--prompt", paramLabel = "TEXT", description = "the text to continue")
  private @Nullable String given;

  @Option(
      names = "--input",
      paramLabel = "FILE",
      description = "JSON lines with prompts, for many texts at once")
  private @Nullable Path input;

  @Option(names = "--output", paramLabel = "FILE", description = "where their answers go")
  private @Nullable Path output;

  @Option(
      names = "--parallel",
      paramLabel = "N",
      defaultValue = "8",
      description = "texts that are written together; default: ${DEFAULT-VALUE}")
  private int parallel;

  @Option(
      names = "--json",
      description =
          "print {\"text\", \"promptIds\", \"ids\", \"finishReason\", \"timings\"}, and what is asked"
              + " for below")
  private boolean json;

  @Option(
      names = "--logprobs",
      paramLabel = "N",
      description =
          "with --json: \"logprobs\", for each new token {\"id\", \"piece\", \"bytes\", \"logprob\","
              + " \"top\"} with its N most probable rivals")
  private @Nullable Integer logProbabilities;

  @Option(
      names = "--prompt-logprobs",
      paramLabel = "N",
      description = "with --json: \"promptLogprobs\", the same for the prompt's second token on")
  private @Nullable Integer promptLogProbabilities;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    String prompt = given;
    Path from = input;
    Path to = output;
    if ((prompt == null) == (from == null)) {
      throw new BadInputException(
          "generate continues --prompt TEXT or the prompts of --input FILE, one of them");
    }
    if ((from == null) != (to == null)) {
      throw new BadInputException("--input FILE and --output FILE go together");
    }
    return from != null && to != null ? batch(from, to) : one(String.valueOf(prompt));
  }

  private int batch(Path from, Path to) throws IOException {
    if (json || logProbabilities != null || promptLogProbabilities != null) {
      throw new BadInputException(
          "--json, --logprobs and --prompt-logprobs are for --prompt; answers of --input are JSON");
    }
    BatchRun run = new BatchRun(from, to, parallel, source, sampling, speculation);
    return run.run(spec.commandLine().getParseResult().originalArgs(), spec.commandLine().getErr());
  }

  private int one(String prompt) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    Tokenizer tokenizer = source.tokenizer();
    try (CpuModel model = source.load()) {
      Generator generator = new Generator(model, tokenizer);
      GenerationOptions options = options(generator);
      if (!json) {
        out.print(prompt);
        out.flush();
      }
      Generation generation;
      try (SpeculationChoice.Writer writer = speculation.writer(model, generator, tokenizer)) {
        generation =
            writer.write(
                generator.promptIds(prompt),
                options,
                event -> show(event, out),
                () -> Thread.currentThread().isInterrupted());
      }
      if (json) {
        ObjectNode root = toJson(generation);
        if (logProbabilities != null) {
          root.set("logprobs", scores(generation.scores()));
        }
        if (promptLogProbabilities != null) {
          root.set("promptLogprobs", scores(generation.promptScores()));
        }
        out.println(JSON.writeValueAsString(root));
      } else {
        out.println();
        spec.commandLine().getErr().println(describe(generation.timings()));
      }
      out.flush();
    }
    return 0;
  }

  private GenerationOptions options(Generator generator) throws IOException {
    GenerationOptions options = sampling.options(generator);
    try {
      if (logProbabilities != null) {
        options = options.withLogProbabilities(logProbabilities);
      }
      if (promptLogProbabilities != null) {
        options = options.withPromptLogProbabilities(promptLogProbabilities);
      }
    } catch (IllegalArgumentException e) {
      throw new BadInputException(String.valueOf(e.getMessage()), e);
    }
    return options;
  }

  private void show(GenerationEvent event, PrintWriter out) {
    if (!json && event instanceof GenerationEvent.TextDelta delta) {
      out.print(delta.text());
      out.flush();
    }
  }

  static String describe(GenerationEvent.Timings timings) {
    return String.format(
        Locale.ROOT,
        "[prompt %d tokens, %.1f tokens/s; new %d tokens, %.1f tokens/s]",
        timings.promptTokens(),
        timings.prefillTokensPerSecond(),
        timings.newTokens(),
        timings.decodeTokensPerSecond());
  }

  private static ObjectNode toJson(Generation generation) {
    ObjectNode root = JSON.createObjectNode();
    root.put("text", generation.text());
    ArrayNode promptIds = root.putArray("promptIds");
    for (int id : generation.promptIds()) {
      promptIds.add(id);
    }
    ArrayNode ids = root.putArray("ids");
    for (int id : generation.ids()) {
      ids.add(id);
    }
    root.put("finishReason", generation.reason().name().toLowerCase(Locale.ROOT));
    GenerationEvent.Timings timings = generation.timings();
    root.putObject("timings")
        .put("promptTokens", timings.promptTokens())
        .put("prefillSeconds", timings.prefill().toNanos() / 1e9)
        .put("prefillTokensPerSecond", timings.prefillTokensPerSecond())
        .put("newTokens", timings.newTokens())
        .put("decodeSeconds", timings.decode().toNanos() / 1e9)
        .put("decodeTokensPerSecond", timings.decodeTokensPerSecond());
    return root;
  }

  private static ArrayNode scores(List<ScoredToken> tokens) {
    ArrayNode scores = JSON.createArrayNode();
    for (ScoredToken token : tokens) {
      ArrayNode top = candidate(scores.addObject(), token.token()).putArray("top");
      token.top().forEach(rival -> candidate(top.addObject(), rival));
    }
    return scores;
  }

  private static ObjectNode candidate(ObjectNode node, ScoredToken.Candidate candidate) {
    node.put("id", candidate.id()).put("piece", candidate.piece());
    ArrayNode bytes = node.putArray("bytes");
    for (byte b : candidate.bytes()) {
      bytes.add(b & 0xFF);
    }
    return node.put("logprob", candidate.logProbability());
  }
}
