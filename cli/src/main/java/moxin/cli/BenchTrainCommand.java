package moxin.cli;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import moxin.bench.TrainBenchmark;
import moxin.bench.TrainBenchmarkResult;
import moxin.bench.TrainBenchmarkShape;
import moxin.cli.terminal.TerminalProgress;
import moxin.job.BadInputException;
import moxin.model.DType;
import moxin.train.transformer.ActivationMemory;
import org.jspecify.annotations.Nullable;
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
    QUICKSTART,
    MOXIN_7B
  }

  @Option(
      names = "--shape",
      paramLabel = "SHAPE",
      defaultValue = "reference",
      description =
          "reference (30.55 million parameters, 8 rows of 512 tokens), quickstart (5.3 million, 16"
              + " rows of 512) or moxin_7b (8.1 billion, one row of 4096, recomputing); default:"
              + " ${DEFAULT-VALUE}")
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

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "cpu",
      description = "cpu or cuda, the first GPU of an installed PyTorch; default: ${DEFAULT-VALUE}")
  private DeviceChoice device = DeviceChoice.CPU;

  @Option(
      names = "--layers",
      paramLabel = "N",
      defaultValue = "36",
      description = "of moxin_7b; fewer fit in less memory; default: ${DEFAULT-VALUE}")
  private int layers;

  @Option(names = "--rows", paramLabel = "N", description = "rows of a batch")
  private @Nullable Integer rows;

  @Option(names = "--length", paramLabel = "N", description = "tokens of a row")
  private @Nullable Integer length;

  @Option(
      names = "--activations",
      paramLabel = "KIND",
      description = "keep them, or recompute every block in the backward pass")
  private @Nullable ActivationMemory activations;

  @Option(
      names = "--peak",
      paramLabel = "TFLOPS",
      description = "the device's peak by its data sheet, for the model FLOPs utilisation (MFU)")
  private @Nullable Double peak;

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
    if (steps < 1 || threads < 0 || layers < 1) {
      throw new BadInputException("--steps, --threads and --layers must be positive");
    }
    DType computeType = TrainBenchmark.computeType(type);
    TrainBenchmarkShape chosen =
        switch (shape) {
          case REFERENCE -> TrainBenchmarkShape.reference(steps, computeType);
          case QUICKSTART -> TrainBenchmarkShape.quickstart(steps, computeType);
          case MOXIN_7B -> TrainBenchmarkShape.moxin7b(layers, steps, computeType);
        };
    try {
      chosen =
          chosen.withBatch(
              Objects.requireNonNullElse(rows, chosen.rows()),
              Objects.requireNonNullElse(length, chosen.length()));
    } catch (IllegalArgumentException e) {
      throw new BadInputException(String.valueOf(e.getMessage()), e);
    }
    chosen = chosen.with(Objects.requireNonNullElse(activations, chosen.activationMemory()));
    chosen = chosen.on(device.device());
    return threads == 0 ? chosen : chosen.onProcessors(threads);
  }

  private void print(TrainBenchmarkResult result, PrintWriter to) {
    to.printf(
        Locale.ROOT,
        "%.2f M parameters, %d rows of %d tokens, %s on %s, %d threads, %d steps, libtorch %s%n",
        result.parameters() / 1e6,
        result.rows(),
        result.length(),
        result.computeType(),
        result.device(),
        result.processors(),
        result.steps(),
        result.libtorch());
    line(to, "tokens/s, median step", "%.0f", result.tokensPerSecond());
    line(to, "tokens/s, fastest step", "%.0f", result.bestTokensPerSecond());
    line(to, "model GFLOP/s", "%.1f", result.modelGigaflopsPerSecond());
    line(to, "matrix product GFLOP/s", "%.1f", result.gemmGigaflopsPerSecond());
    line(to, "share", "%.1f %%", 100 * result.gemmFraction());
    if (peak != null) {
      line(to, "MFU", "%.1f %%", 100 * result.modelGigaflopsPerSecond() / (1000 * peak));
    }
    line(to, "resident MB, first step", "%.0f", result.residentBytesFirst() / 1e6);
    line(to, "resident MB, last step", "%.0f", result.residentBytesLast() / 1e6);
    line(to, "tensors left open", "%.0f", (double) result.leakedTensors());
  }

  private static void line(PrintWriter to, String label, String format, double value) {
    to.printf(Locale.ROOT, "%-26s %10s%n", label, String.format(Locale.ROOT, format, value));
  }
}
