package moxin.text;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import moxin.text.gguf.GgufFormatException;
import moxin.text.gguf.GgufHeader;
import moxin.text.gguf.GgufVocabulary;
import moxin.text.sentencepiece.SentencePieceModel;
import moxin.text.sentencepiece.SentencePieceTokenizer;

/// Finds and loads the tokenizer of a model.
public final class Tokenizers {

  private Tokenizers() {}

  /// Loads a tokenizer file, the tokenizer in a model directory, or the one in a GGUF file.
  ///
  /// @throws TokenizerFormatException if there is none, several, or it cannot be used
  /// @throws GgufFormatException if it is a GGUF file that has none
  public static Tokenizer load(Path fileOrModelDirectory) throws IOException {
    Path file = find(fileOrModelDirectory);
    return SentencePieceTokenizer.of(file.toString(), model(file));
  }

  /// The SentencePiece model in a `tokenizer.model` or a GGUF file, whichever `file` is.
  ///
  /// @throws TokenizerFormatException if it is no SentencePiece model
  /// @throws GgufFormatException if it is a GGUF file that has none
  public static SentencePieceModel model(Path file) throws IOException {
    return GgufHeader.isGguf(file)
        ? GgufVocabulary.read(GgufHeader.read(file).metadata())
        : SentencePieceModel.load(file);
  }

  /// The tokenizer file of a model directory: `tokenizer.model`, or else the only file there whose
  /// name ends in `.model`. A file is returned as it is.
  ///
  /// @throws TokenizerFormatException if there is none or there are several
  public static Path find(Path fileOrModelDirectory) throws IOException {
    if (Files.isRegularFile(fileOrModelDirectory)) {
      return fileOrModelDirectory;
    }
    if (!Files.isDirectory(fileOrModelDirectory)) {
      throw new TokenizerFormatException(fileOrModelDirectory + ": no such file or directory");
    }
    Path usual = fileOrModelDirectory.resolve("tokenizer.model");
    if (Files.isRegularFile(usual)) {
      return usual;
    }
    List<Path> candidates;
    try (Stream<Path> files = Files.list(fileOrModelDirectory)) {
      candidates =
          files
              .filter(file -> file.getFileName().toString().endsWith(".model"))
              .filter(Files::isRegularFile)
              .sorted()
              .toList();
    }
    if (candidates.size() != 1) {
      throw new TokenizerFormatException(
          fileOrModelDirectory
              + ": found "
              + (candidates.isEmpty() ? "no" : candidates.size())
              + " *.model files, expected tokenizer.model or exactly one other");
    }
    return candidates.getFirst();
  }
}
