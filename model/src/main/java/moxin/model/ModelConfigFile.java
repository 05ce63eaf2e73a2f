package moxin.model;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import moxin.job.AtomicFile;

/// `config.json` of a model directory, read and written.
public final class ModelConfigFile {

  /// Its name in a model directory.
  public static final String FILE_NAME = "config.json";

  private static final long MAX_BYTES = 1 << 20;

  private ModelConfigFile() {}

  /// Reads a `config.json`, or that of a directory.
  ///
  /// @throws CheckpointFormatException if it is absent, damaged, or describes a model that Moxin
  ///   does not run
  /// @throws IOException if it cannot be read
  public static ModelConfig read(Path path) throws IOException {
    Path file = Files.isDirectory(path) ? path.resolve(FILE_NAME) : path;
    return ModelConfigJson.parse(file.toString(), CheckpointJson.readObject(file, MAX_BYTES));
  }

  /// Reads a configuration from text; `origin` names it in errors.
  ///
  /// @throws CheckpointFormatException as [#read]
  public static ModelConfig parse(String origin, String json) {
    return ModelConfigJson.parse(
        origin, CheckpointJson.parseObject(origin, json.getBytes(StandardCharsets.UTF_8)));
  }

  /// Writes `config.json` into `directory`.
  ///
  /// @param dtype of the weights beside it
  public static void write(Path directory, ModelConfig config, DType dtype) throws IOException {
    AtomicFile.write(directory.resolve(FILE_NAME), toJson(config, dtype));
  }

  /// The text of a `config.json`.
  public static String toJson(ModelConfig config, DType dtype) {
    return CheckpointJson.pretty(ModelConfigJson.toJson(config, dtype));
  }
}
