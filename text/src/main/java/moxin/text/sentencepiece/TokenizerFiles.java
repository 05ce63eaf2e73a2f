package moxin.text.sentencepiece;

import java.io.IOException;
import java.nio.file.Path;
import moxin.job.AtomicFile;

/// The tokenizer's files in a model directory.
public final class TokenizerFiles {

  private TokenizerFiles() {}

  /// Writes `tokenizer.json`, `tokenizer_config.json` (both as Hugging Face's libraries read them)
  /// and `tokenizer.model` (as sentencepiece reads it) into `directory`.
  public static void write(Path directory, SentencePieceModel model) throws IOException {
    HuggingFaceTokenizer files = new HuggingFaceTokenizer(model);
    AtomicFile.write(directory.resolve("tokenizer.json"), files.tokenizerJson());
    AtomicFile.write(directory.resolve("tokenizer_config.json"), files.configJson());
    AtomicFile.write(directory.resolve("tokenizer.model"), model.toBytes());
  }
}
