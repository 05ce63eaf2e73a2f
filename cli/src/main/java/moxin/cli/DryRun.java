package moxin.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import moxin.job.BadInputException;
import moxin.job.RecipeFile;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.train.OptimizerStates;
import moxin.train.estimate.AttentionMemory;
import moxin.train.estimate.Machine;
import moxin.train.estimate.Placement;
import moxin.train.estimate.RunEstimate;
import moxin.train.recipe.Precision;
import moxin.train.recipe.TrainingRecipe;
import moxin.train.run.PhaseLengths;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/// The options of `moxin train --dry-run`, and the dry run itself.
final class DryRun {
  private static final double GIB = 1 << 30;

  /// NVIDIA's data sheet of the H200 SXM: bf16 on tensor cores without sparsity, and plain fp32.
  private static final double H200_BF16 = 989e12;

  private static final double H200_FP32 = 67e12;

  /// What an hour of one is rented for, in US dollars.
  private static final double H200_PRICE = 3;

  @Option(
      names = "--dry-run",
      description = "print parameters, tokens, FLOPs, memory, time and cost, and train nothing")
  private boolean wanted;

  @Option(names = "--json", description = "with --dry-run: print JSON")
  private boolean json;

  @Option(
      names = "--devices",
      paramLabel = "N",
      defaultValue = "1",
      description = "with --dry-run: data-parallel devices; default: ${DEFAULT-VALUE}")
  private int devices;

  @Option(
      names = "--zero-stage",
      paramLabel = "K",
      description =
          "with --dry-run: 1 divides master weights and optimizer among the devices, 2 gradients"
              + " too, 3 weights too; default: the recipe's")
  private @Nullable Integer zeroStage;

  /// What kind of device is assumed.
  enum Kind {
    GPU,
    CPU
  }

  @Option(
      names = "--device-kind",
      paramLabel = "KIND",
      defaultValue = "gpu",
      description = "with --dry-run: ${COMPLETION-CANDIDATES}; default: ${DEFAULT-VALUE}")
  private Kind kind = Kind.GPU;

  @Option(
      names = "--device-memory",
      paramLabel = "GiB",
      defaultValue = "139",
      description = "with --dry-run: memory of one device; default: an H200's ${DEFAULT-VALUE}")
  private double deviceMemory;

  @Option(
      names = "--peak-flops",
      paramLabel = "FLOPS",
      description =
          "with --dry-run: peak of one device, operations per second; default: a GPU's is an"
              + " H200's, 989e12 in bf16 and 67e12 in fp32; a CPU's is not known, nor its time")
  private @Nullable Double peakFlops;

  @Option(
      names = "--mfu",
      paramLabel = "SHARE",
      defaultValue = "0.5",
      description = "with --dry-run: the share of the peak that is used; default: ${DEFAULT-VALUE}")
  private double mfu;

  @Option(
      names = "--price-per-hour",
      paramLabel = "USD",
      description = "with --dry-run: price of one device; default: a GPU's 3; a CPU's is not known")
  private @Nullable Double pricePerHour;

  @Option(
      names = "--attention",
      paramLabel = "KIND",
      description =
          "with --dry-run: what attention keeps, ${COMPLETION-CANDIDATES}; default: what this"
              + " version does on the device")
  private @Nullable AttentionMemory attention;

  @Option(
      names = "--optimizer-state",
      paramLabel = "TYPE",
      description = "with --dry-run: ${COMPLETION-CANDIDATES}; default: the recipe's")
  private @Nullable OptimizerStates moments;

  boolean isWanted() {
    return wanted;
  }

  /// Prints the estimate; returns the exit code.
  int run(
      RecipeFile file, Optional<ModelConfig> model, Map<String, Path> named, CommandLine command)
      throws IOException {
    TrainingRecipe recipe = TrainingRecipe.of(file);
    ModelConfig config = model.isPresent() ? model.get() : ofCheckpoint(recipe);
    PhaseLengths lengths = PhaseLengths.of(recipe, named, file.seed());
    RunEstimate estimate = estimate(recipe, config, lengths);
    DryRunReport report = new DryRunReport(estimate, lengths.notes());
    if (json) {
      report.printJson(command.getOut());
    } else {
      report.print(command.getOut());
    }
    command.getOut().flush();
    estimate.refusal().ifPresent(line -> command.getErr().println("moxin: " + line));
    return estimate.refusal().isPresent() ? CommandLine.ExitCode.SOFTWARE : 0;
  }

  private RunEstimate estimate(TrainingRecipe recipe, ModelConfig config, PhaseLengths lengths) {
    boolean bf16 = recipe.precision() == Precision.BF16;
    DType type = bf16 ? DType.BF16 : DType.F32;
    try {
      Placement device =
          switch (kind) {
            case GPU -> Placement.onGpu(type, recipe.memory().activations());
            case CPU ->
                Placement.onCpu(
                    type,
                    recipe.memory().activations(),
                    Runtime.getRuntime().availableProcessors());
          };
      int stage = zeroStage == null ? recipe.parallel().zero() : zeroStage;
      Placement placement =
          device
              .withDevices(devices, stage)
              .withMoments(moments == null ? recipe.optimizer().states() : moments)
              .withMaster(recipe.optimizer().masterWeights())
              .withPlace(recipe.memory().offload());
      return RunEstimate.of(
          config,
          lengths.phases(),
          attention == null ? placement : placement.withAttention(attention),
          machine(bf16 ? H200_BF16 : H200_FP32));
    } catch (IllegalArgumentException e) {
      throw new BadInputException(String.valueOf(e.getMessage()), e);
    }
  }

  /// A device as the options say; what they leave open is an H200's, `peak` too, and on a CPU not
  /// known.
  private Machine machine(double peak) {
    boolean gpu = kind == Kind.GPU;
    Double flops = peakFlops == null && gpu ? Double.valueOf(peak) : peakFlops;
    Double price = pricePerHour == null && gpu ? Double.valueOf(H200_PRICE) : pricePerHour;
    return new Machine(deviceMemory * GIB, flops, mfu, price);
  }

  private static ModelConfig ofCheckpoint(TrainingRecipe recipe) throws IOException {
    String checkpoint = recipe.initialisation().checkpoint();
    if (checkpoint == null) {
      throw new BadInputException("the recipe has neither a model nor a checkpoint");
    }
    return ModelConfigFile.read(Path.of(checkpoint));
  }
}
