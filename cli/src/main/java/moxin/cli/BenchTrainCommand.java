package moxin.cli;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import moxin.bench.TrainBenchmark;
import moxin.bench.TrainBenchmarkResult;
import moxin.bench.TrainBenchmarkShape;
import moxin.cli.terminal.TerminalProgress;
import moxin.job.BadInputException;
import moxin.model.DType;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `moxin bench train`.
@Command(
    name = "train",
    description = {
      "Measure training: whole steps on random tokens.",
      "Prints tokens per second, and the share that the model's own operations are of the rate of"
          + " libtorch's matrix products, measured in the same run."
    },
    mixinStandardHelpOptions = true)
final class BenchTrainCommand implements Callable<Integer> {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  /// What is trained.
  enum Shape {
    REFERENCE,
    QUICKSTART
  }

  @Option(
      names = "--shape",
      paramLabel = "SHAPE",
      defaultValue = "reference",
      description =
          "reference (30.55 million parameters, 8 rows of 512 tokens) or quickstart (5.3 million, 16"
              + " rows of 512); default: ${DEFAULT-VALUE}")
  private Shape shape = Shape.REFERENCE;

  @Option(
      names = "--steps",
      paramLabel = "N",
      defaultValue = "20",
      description = "steps that are measured, after ten to warm up; default: ${DEFAULT-VALUE}")
  private int steps;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "threads; default: all processors")
  private int threads;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      defaultValue = "bf16",
      description = "bf16 or f32; default: ${DEFAULT-VALUE}")
  private String type = "bf16";

  @Option(names = "--json", description = "print JSON")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    TrainBenchmarkResult result =
        TrainBenchmark.run(measured(), TerminalProgress.onStandardError());
    PrintWriter to = spec.commandLine().getOut();
    if (json) {
      to.println(JSON.writerWithDefaultPrettyPrinter().writeValueAsString(result));
    } else {
      print(result, to);
    }
    to.flush();
    return 0;
  }

  private TrainBenchmarkShape measured() {
    if (steps < 1 || threads < 0) {
      throw new BadInputException("--steps and --threads must be positive");
    }
    DType computeType = TrainBenchmark.computeType(type);
    TrainBenchmarkShape chosen =
        switch (shape) {
          case REFERENCE -> TrainBenchmarkShape.reference(steps, computeType);
          case QUICKSTART -> TrainBenchmarkShape.quickstart(steps, computeType);
        };
    return threads == 0 ? chosen : chosen.onProcessors(threads);
  }

  private static void print(TrainBenchmarkResult result, PrintWriter to) {
    to.printf(
        Locale.ROOT,
        "%.2f M parameters, %d rows of %d tokens, %s, %d threads, %d steps, libtorch %s%n",
        result.parameters() / 1e6,
        result.rows(),
        result.length(),
        result.computeType(),
        result.processors(),
        result.steps(),
        result.libtorch());
    line(to, "tokens/s, median step", "%.0f", result.tokensPerSecond());
    line(to, "tokens/s, fastest step", "%.0f", result.bestTokensPerSecond());
    line(to, "model GFLOP/s", "%.1f", result.modelGigaflopsPerSecond());
    line(to, "matrix product GFLOP/s", "%.1f", result.gemmGigaflopsPerSecond());
    line(to, "share", "%.1f %%", 100 * result.gemmFraction());
    line(to, "resident MB, first step", "%.0f", result.residentBytesFirst() / 1e6);
    line(to, "resident MB, last step", "%.0f", result.residentBytesLast() / 1e6);
    line(to, "tensors left open", "%.0f", (double) result.leakedTensors());
  }

  private static void line(PrintWriter to, String label, String format, double value) {
    to.printf(Locale.ROOT, "%-26s %10s%n", label, String.format(Locale.ROOT, format, value));
  }
}
