package moxin.cli;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import moxin.bench.InferenceBenchmark;
import moxin.bench.InferenceBenchmarkResult;
import moxin.bench.LlamaBench;
import moxin.cli.terminal.TerminalProgress;
import moxin.infer.CpuModel;
import moxin.infer.EngineOptions;
import moxin.job.BadInputException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `moxin bench`: measurements beside a limit of the machine taken in the same run.
@Command(
    name = "bench",
    description = {
      "Measure inference with --model, or training with the subcommand.",
      "Prefill, decoding and batches on random tokens, beside the memory bandwidth of the same"
          + " minutes and, with --vs, beside llama.cpp on the same file."
    },
    mixinStandardHelpOptions = true,
    subcommands = BenchTrainCommand.class)
final class BenchCommand implements Callable<Integer> {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  @Option(
      names = "--model",
      paramLabel = "PATH",
      description = "a Hugging Face model directory or a GGUF file")
  private @Nullable Path path;

  @Option(
      names = "--prefill",
      paramLabel = "N",
      defaultValue = "512",
      description = "tokens of the prompt; default: ${DEFAULT-VALUE}")
  private int prefill;

  @Option(
      names = "--decode",
      paramLabel = "N",
      defaultValue = "64",
      description = "tokens decoded; default: ${DEFAULT-VALUE}")
  private int decode;

  @Option(
      names = "--batch",
      paramLabel = "B",
      split = ",",
      description = "sequences that decode together, such as 1,2,4,8")
  private List<Integer> batches = new ArrayList<>();

  @Mixin private EngineChoice engineChoice = new EngineChoice();

  @Option(
      names = "--repetitions",
      paramLabel = "N",
      defaultValue = "3",
      description = "of every measurement; medians are shown; default: ${DEFAULT-VALUE}")
  private int repetitions;

  @Option(
      names = "--vs",
      paramLabel = "LLAMA_BENCH",
      description = "llama.cpp's llama-bench, run in turn on the same GGUF file")
  private @Nullable Path rival;

  @Option(names = "--json", description = "print JSON")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    Path model = path;
    if (model == null) {
      throw new BadInputException(
          "bench measures a model: name one with --model, or training with: moxin bench train");
    }
    InferenceBenchmarkResult result = measure(model);
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(JSON.writerWithDefaultPrettyPrinter().writeValueAsString(toJson(model, result)));
    } else {
      print(result, out);
    }
    out.flush();
    return 0;
  }

  private InferenceBenchmarkResult measure(Path model) throws IOException {
    Optional<LlamaBench> other = Optional.ofNullable(rival).map(at -> new LlamaBench(at, model));
    if (other.isPresent() && !Files.isRegularFile(model)) {
      throw new BadInputException(model + ": --vs needs a GGUF file, which both programs can read");
    }
    InferenceBenchmark.Options what;
    try {
      what = new InferenceBenchmark.Options(prefill, decode, batches, repetitions, other);
    } catch (IllegalArgumentException e) {
      throw new BadInputException(String.valueOf(e.getMessage()));
    }
    EngineOptions engine = engineChoice.options();
    TerminalProgress progress = TerminalProgress.onStandardError();
    long start = System.nanoTime();
    try (CpuModel loaded = ModelSource.load(model, engine)) {
      Duration load = Duration.ofNanos(System.nanoTime() - start);
      loaded.kernelFallback().ifPresent(reason -> progress.note("moxin: " + reason));
      return new InferenceBenchmark(loaded, what).run(load, engine.threads(), progress);
    }
  }

  private static ObjectNode toJson(Path model, InferenceBenchmarkResult result) {
    ObjectNode root = JSON.createObjectNode();
    root.put("model", model.toString())
        .put("kernels", result.kernels())
        .put("threads", result.threads())
        .put("parameters", result.parameters())
        .put("weightBytes", result.weightBytes())
        .put("loadSeconds", result.loadSeconds())
        .put("prefillTokens", result.prefillTokens())
        .put("prefillTokensPerSecond", result.prefillTokensPerSecond())
        .put("timeToFirstTokenSeconds", result.timeToFirstTokenSeconds())
        .put("decodeTokens", result.decodeTokens())
        .put("decodeTokensPerSecond", result.decodeTokensPerSecond())
        .put("memoryBandwidthGBps", result.memoryBandwidthGBps())
        .put("decodeBandwidthShare", result.decodeBandwidthShare())
        .put("residentBytes", result.residentBytes())
        .put("peakResidentBytes", result.peakResidentBytes());
    ObjectNode batch = root.putObject("batchTokensPerSecond");
    result.batchTokensPerSecond().forEach((size, rate) -> batch.put(size.toString(), rate));
    ObjectNode scheduled = root.putObject("scheduledTokensPerSecond");
    result.scheduledTokensPerSecond().forEach((size, rate) -> scheduled.put(size.toString(), rate));
    result
        .rival()
        .ifPresent(
            rates ->
                root.putObject("rival")
                    .put("prefillTokensPerSecond", rates.prefill())
                    .put("decodeTokensPerSecond", rates.decode())
                    .put("prefillRatio", result.prefillTokensPerSecond() / rates.prefill())
                    .put("decodeRatio", result.decodeTokensPerSecond() / rates.decode()));
    return root;
  }

  private static void print(InferenceBenchmarkResult result, PrintWriter out) {
    Locale root = Locale.ROOT;
    row(out, "kernels", result.kernels() + ", " + result.threads() + " threads");
    row(
        out,
        "weights",
        String.format(
            root,
            "%.2f billion in %.2f GB, loaded in %.1f s",
            result.parameters() / 1e9,
            result.weightBytes() / 1e9,
            result.loadSeconds()));
    row(
        out,
        "prefill " + result.prefillTokens(),
        String.format(
            root,
            "%.1f tokens/s; first token after %.2f s",
            result.prefillTokensPerSecond(),
            result.timeToFirstTokenSeconds()));
    row(
        out,
        "decode " + result.decodeTokens(),
        String.format(
            root,
            "%.2f tokens/s; %.0f %% of %.1f GB/s",
            result.decodeTokensPerSecond(),
            100 * result.decodeBandwidthShare(),
            result.memoryBandwidthGBps()));
    new TreeMap<>(result.batchTokensPerSecond())
        .forEach(
            (size, rate) ->
                row(
                    out,
                    "batch of " + size,
                    String.format(
                        root,
                        "%.1f tokens/s in all; %.1f through the scheduler",
                        rate,
                        result.scheduledTokensPerSecond().getOrDefault(size, 0.0))));
    row(
        out,
        "memory",
        String.format(
            root,
            "%.2f GB resident, %.2f GB at most",
            result.residentBytes() / 1e9,
            result.peakResidentBytes() / 1e9));
    result.rival().ifPresent(rates -> row(out, "llama-bench", compare(result, rates)));
  }

  private static String compare(InferenceBenchmarkResult result, LlamaBench.Rates rates) {
    return String.format(
        Locale.ROOT,
        "prefill %.1f, decode %.2f tokens/s; this is %.2f and %.2f times that",
        rates.prefill(),
        rates.decode(),
        result.prefillTokensPerSecond() / rates.prefill(),
        result.decodeTokensPerSecond() / rates.decode());
  }

  private static void row(PrintWriter out, String label, String value) {
    out.printf(Locale.ROOT, "%-14s %s%n", label, value);
  }
}
