package moxin.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
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

  /// The chat template of a directory, a file of its own.
  static final String TEMPLATE = "chat_template.jinja";

  private static final String TOKENIZER = "tokenizer.";
  private static final String TEMPLATE_KEY = "tokenizer.chat_template";
  private static final String TOKENIZER_CONFIG = "tokenizer_config.json";
  private static final long LARGEST_TEXT = 4 << 20;
  private static final JsonMapper JSON = JsonMapper.builder().build();

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
      Map<String, GgufValue> pairs =
          new LinkedHashMap<>(
              GgufVocabulary.pairs(Tokenizers.model(Tokenizers.find(path)), config.vocabSize()));
      chatTemplate().ifPresent(text -> pairs.put(TEMPLATE_KEY, GgufValue.of(text)));
      return pairs;
    } catch (IllegalArgumentException e) {
      throw new BadInputException(path + ": " + e.getMessage(), e);
    }
  }

  /// The tokenizer as sentencepiece has it; empty for a GGUF file with one of another kind.
  Optional<SentencePieceModel> sentencePiece() throws IOException {
    boolean other =
        checkpoint instanceof GgufCheckpoint gguf
            && gguf.metadata().text("tokenizer.ggml.model").filter("llama"::equals).isEmpty();
    return other ? Optional.empty() : Optional.of(Tokenizers.model(Tokenizers.find(path)));
  }

  /// The template that turns messages into text, where the model has one.
  Optional<String> chatTemplate() throws IOException {
    if (checkpoint instanceof GgufCheckpoint gguf) {
      return gguf.metadata().text(TEMPLATE_KEY);
    }
    Path file = path.resolve(TEMPLATE);
    if (Files.isRegularFile(file)) {
      return Optional.of(read(file));
    }
    Path settings = path.resolve(TOKENIZER_CONFIG);
    if (!Files.isRegularFile(settings)) {
      return Optional.empty();
    }
    try {
      JsonNode template = JSON.readTree(read(settings)).path("chat_template");
      return template.isTextual() ? Optional.of(template.asText()) : Optional.empty();
    } catch (JsonProcessingException e) {
      throw new BadInputException(settings + ": not JSON: " + e.getOriginalMessage(), e);
    }
  }

  private static String read(Path file) throws IOException {
    if (Files.size(file) > LARGEST_TEXT) {
      throw new BadInputException(file + " has more than " + LARGEST_TEXT + " bytes");
    }
    return Files.readString(file);
  }

  @Override
  public void close() {
    checkpoint.close();
  }
}
