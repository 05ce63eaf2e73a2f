package moxin.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import moxin.cli.terminal.TerminalProgress;
import moxin.infer.CpuModel;
import moxin.infer.EngineOptions;
import moxin.infer.KernelChoice;
import moxin.infer.KvType;
import moxin.model.GgufCheckpoint;
import moxin.text.Tokenizer;
import moxin.text.Tokenizers;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options that name a model, shared by the commands that run one.
final class ModelSource {
  @Option(
      names = "--model",
      required = true,
      paramLabel = "PATH",
      description =
          "a Hugging Face model directory (config.json, safetensors, tokenizer.model) or a GGUF"
              + " file")
  private Path path = Path.of("model");

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "threads of the engine; default: all processors")
  private int threads;

  @Option(
      names = "--kernels",
      paramLabel = "KIND",
      defaultValue = "auto",
      description = "${COMPLETION-CANDIDATES}; default: ${DEFAULT-VALUE}, the fastest here")
  private KernelChoice kernels = KernelChoice.AUTO;

  @Option(
      names = "--kv-type",
      paramLabel = "TYPE",
      description =
          "how keys and values are cached: ${COMPLETION-CANDIDATES}; default: f32 beside fp32"
              + " weights, else f16")
  private @Nullable KvType kvType;

  /// Loads the model; the caller closes it.
  CpuModel load() throws IOException {
    CpuModel model = load(path, options());
    model
        .kernelFallback()
        .ifPresent(reason -> TerminalProgress.onStandardError().note("moxin: " + reason));
    return model;
  }

  private EngineOptions options() {
    EngineOptions options = EngineOptions.defaults().withKernels(kernels);
    if (threads > 0) {
      options = options.withThreads(threads);
    }
    KvType type = kvType;
    return type == null ? options : options.withKvType(type);
  }

  /// Loads the model at `path`, a directory or a GGUF file; the caller closes it.
  static CpuModel load(Path path, EngineOptions options) throws IOException {
    if (!Files.isRegularFile(path)) {
      return CpuModel.load(path, options);
    }
    try (GgufCheckpoint checkpoint = GgufCheckpoint.open(path)) {
      return CpuModel.of(checkpoint.config(), checkpoint, options);
    }
  }

  Tokenizer tokenizer() throws IOException {
    return Tokenizers.load(path);
  }

  Path path() {
    return path;
  }
}
