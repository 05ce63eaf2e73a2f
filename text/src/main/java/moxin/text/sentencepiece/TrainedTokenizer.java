package moxin.text.sentencepiece;

import java.io.IOException;
import java.nio.file.Path;

/// A tokenizer fresh from training.
///
/// @param recipe the resolved recipe it was made by
public record TrainedTokenizer(TokenizerRecipe recipe, SentencePieceModel model) {

  /// The tokenizer, ready for use.
  public SentencePieceTokenizer tokenizer() {
    return SentencePieceTokenizer.of("trained tokenizer", model);
  }

  /// Writes `tokenizer.json`, `tokenizer_config.json` (both as Hugging Face's libraries read them)
  /// and `tokenizer.model` (as sentencepiece reads it) into `directory`.
  public void writeTo(Path directory) throws IOException {
    TokenizerFiles.write(directory, model);
  }
}
