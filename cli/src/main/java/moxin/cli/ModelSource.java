package moxin.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import moxin.cli.terminal.TerminalProgress;
import moxin.infer.CpuModel;
import moxin.infer.EngineOptions;
import moxin.model.GgufCheckpoint;
import moxin.text.Tokenizer;
import moxin.text.Tokenizers;
import picocli.CommandLine.Mixin;
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

  @Mixin private EngineChoice engine = new EngineChoice();

  /// Loads the model; the caller closes it.
  CpuModel load() throws IOException {
    CpuModel model = load(path, engine.options());
    model
        .kernelFallback()
        .ifPresent(reason -> TerminalProgress.onStandardError().note("moxin: " + reason));
    return model;
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
