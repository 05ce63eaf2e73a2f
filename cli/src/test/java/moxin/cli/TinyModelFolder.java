package moxin.cli;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.model.Precision;
import moxin.model.SafetensorsWriter;
import moxin.model.TensorSpec;
import moxin.model.TensorView;
import moxin.model.WeightNames;
import moxin.text.sentencepiece.SentencePieceModel;
import moxin.text.sentencepiece.SentencePieceModel.Normaliser;
import moxin.text.sentencepiece.SentencePieceModel.Piece;
import moxin.text.sentencepiece.SentencePieceModel.PieceType;
import moxin.text.sentencepiece.SentencePieceModel.Trainer;

/// A model directory with random weights and a tokenizer of bytes and a few letters.
final class TinyModelFolder {

  private TinyModelFolder() {}

  /// Writes a model of `config` to `folder`, which is created.
  static Path write(Path folder, ModelConfig config, Random random) throws IOException {
    Files.createDirectory(folder);
    List<TensorView> views = new ArrayList<>();
    for (TensorSpec spec : WeightNames.specs(config, DType.BF16)) {
      float[] values = new float[(int) spec.byteSize() / 2];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) random.nextGaussian();
      }
      MemorySegment data = MemorySegment.ofArray(new byte[(int) spec.byteSize()]);
      Precision.narrow(values, DType.BF16, data);
      views.add(new TensorView(spec.name(), DType.BF16, spec.shape(), data));
    }
    SafetensorsWriter.write(folder.resolve("model.safetensors"), views, Map.of("format", "pt"));
    ModelConfigFile.write(folder, config, DType.BF16);
    Files.write(folder.resolve("tokenizer.model"), tokenizer().toBytes());
    return folder;
  }

  /// With two ids more than the tokenizer has.
  static ModelConfig config() {
    return config(264);
  }

  /// With as many ids as the tokenizer has.
  static ModelConfig exactConfig() {
    return config(262);
  }

  private static ModelConfig config(int vocabSize) {
    return new ModelConfig(
        "mistral",
        vocabSize,
        32,
        64,
        2,
        4,
        2,
        8,
        1e-5,
        10000,
        OptionalInt.of(16),
        99,
        false,
        OptionalInt.of(1),
        List.of(2),
        0.02);
  }

  static SentencePieceModel tokenizer() {
    List<Piece> pieces = new ArrayList<>();
    pieces.add(new Piece("<unk>", 0, PieceType.UNKNOWN));
    pieces.add(new Piece("<s>", 0, PieceType.CONTROL));
    pieces.add(new Piece("</s>", 0, PieceType.CONTROL));
    for (int i = 0; i < 256; i++) {
      pieces.add(new Piece("<0x%02X>".formatted(i), 0, PieceType.BYTE));
    }
    pieces.add(new Piece("ab", -1, PieceType.NORMAL));
    pieces.add(new Piece("a", -2, PieceType.NORMAL));
    pieces.add(new Piece("b", -3, PieceType.NORMAL));
    return new SentencePieceModel(pieces, Trainer.bpe(List.of()), Normaliser.identity(true));
  }
}
