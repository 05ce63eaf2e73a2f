package moxin.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import moxin.job.BadInputException;
import moxin.model.Checkpoint;
import moxin.model.DType;
import moxin.model.GgufCheckpoint;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.WeightNames;
import moxin.model.gguf.QuantisationMix;
import moxin.text.Tokenizers;
import moxin.text.gguf.GgufValue;
import moxin.text.gguf.GgufVocabulary;
import moxin.text.sentencepiece.SentencePieceModel;

/// A model to convert: its weights, configuration and tokenizer, from a directory or a GGUF file.
///
/// @param name what the model is called
record ConversionSource(Path path, String name, ModelConfig config, Checkpoint checkpoint)
    implements AutoCloseable {

  private static final String TOKENIZER = "tokenizer.";

  /// Opens the model at `path`.
  static ConversionSource open(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      ModelConfig config = ModelConfigFile.read(path);
      return new ConversionSource(
          path, nameOf(path.toRealPath()), config, SafetensorsCheckpoint.open(path));
    }
    GgufCheckpoint checkpoint = GgufCheckpoint.open(path);
    boolean usable = false;
    try {
      String name =
          checkpoint.metadata().text("general.name").orElseGet(() -> nameOf(path.toAbsolutePath()));
      ConversionSource source = new ConversionSource(path, name, checkpoint.config(), checkpoint);
      usable = true;
      return source;
    } finally {
      if (!usable) {
        checkpoint.close();
      }
    }
  }

  private static String nameOf(Path absolute) {
    Path name = absolute.getFileName();
    return name == null ? "model" : name.toString().replaceFirst("\\.gguf$", "");
  }

  /// The mix that keeps its matrices as they are, or bf16 if they are quantised.
  QuantisationMix mix() {
    DType type = matrixType();
    return type.isQuantised() || type == DType.F64
        ? QuantisationMix.BF16
        : QuantisationMix.ofFloatingPoint(type);
  }

  boolean isQuantised() {
    return matrixType().isQuantised();
  }

  private DType matrixType() {
    return checkpoint.tensor(WeightNames.LayerWeight.UP.name(0)).dtype();
  }

  /// The pairs that describe the tokenizer in a GGUF file. Those of a GGUF file are kept, of
  /// whatever kind they are.
  Map<String, GgufValue> vocabulary() throws IOException {
    if (checkpoint instanceof GgufCheckpoint gguf) {
      Map<String, GgufValue> pairs = new LinkedHashMap<>();
      gguf.metadata()
          .values()
          .forEach(
              (key, value) -> {
                if (key.startsWith(TOKENIZER)) {
                  pairs.put(key, value);
                }
              });
      return pairs;
    }
    try {
      return GgufVocabulary.pairs(sentencePiece(), config.vocabSize());
    } catch (IllegalArgumentException e) {
      throw new BadInputException(path + ": " + e.getMessage(), e);
    }
  }

  /// The tokenizer as sentencepiece has it.
  SentencePieceModel sentencePiece() throws IOException {
    return Tokenizers.model(Tokenizers.find(path));
  }

  @Override
  public void close() {
    checkpoint.close();
  }
}
