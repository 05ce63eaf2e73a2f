package moxin.train.adapter;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import moxin.model.Checkpoint;
import moxin.model.CheckpointFormatException;
import moxin.model.ModelConfig;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.SafetensorsWriter;
import moxin.model.TensorView;

/// `adapter_model.safetensors`: the factors of an adapter under PEFT's names.
public final class AdapterFile {

  /// Its name in an adapter's directory.
  public static final String FILE_NAME = "adapter_model.safetensors";

  private AdapterFile() {}

  /// Opens that of `directory` and checks that it has exactly the factors of `settings` for a model
  /// of `config`.
  ///
  /// @throws CheckpointFormatException naming the first tensor that does not fit
  public static SafetensorsCheckpoint open(
      Path directory, AdapterSettings settings, ModelConfig config) throws IOException {
    SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(directory.resolve(FILE_NAME));
    try {
      requireFactors(checkpoint, settings.shapes(config));
      return checkpoint;
    } catch (RuntimeException e) {
      checkpoint.close();
      throw e;
    }
  }

  /// Writes the factors into `directory`.
  public static void write(Path directory, List<TensorView> factors) throws IOException {
    SafetensorsWriter.write(directory.resolve(FILE_NAME), factors, Map.of("format", "pt"));
  }

  private static void requireFactors(Checkpoint checkpoint, Map<String, List<Long>> shapes) {
    shapes.forEach(
        (name, shape) -> {
          TensorView view = checkpoint.tensor(name);
          if (!view.shape().equals(shape) || !view.dtype().isFloatingPoint()) {
            throw new CheckpointFormatException(
                checkpoint.origin()
                    + ": "
                    + name
                    + " is "
                    + view.dtype()
                    + view.shape()
                    + ", model and "
                    + PeftConfig.FILE_NAME
                    + " ask for floating-point numbers "
                    + shape);
          }
        });
    for (String name : checkpoint.names()) {
      if (!shapes.containsKey(name)) {
        String shown = name.length() <= 200 ? name : name.substring(0, 200) + "…";
        throw new CheckpointFormatException(
            checkpoint.origin()
                + ": tensor "
                + shown
                + " is none of the factors that model and "
                + PeftConfig.FILE_NAME
                + " ask for");
      }
    }
  }
}
