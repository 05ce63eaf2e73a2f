package moxin.text.sentencepiece;

import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The section `tokenizer` of a recipe. Keys that are left out get their defaults here, so that a
/// record is always resolved.
///
/// @param vocabSize the number of ids, special and byte pieces included; 8192 by default
/// @param sampleBytes about how many characters are read at most, spread over the whole corpus by
///   the hash of each document; 64 Mi by default
/// @param characterCoverage the share of characters that get a piece of their own; the others are
///   spelled as bytes; 0.9995 by default, as in sentencepiece
/// @param splitDigits whether a piece holds at most one digit; true by default
/// @param addDummyPrefix whether a space is put in front of a text, so that its first word is
///   spelled as inside a sentence; true by default, as in Mistral's tokenizer
/// @param whitespacePieces whether runs of spaces, tabs and line ends get pieces; true by default
/// @param maxPieceLength the largest number of characters of a piece; 16 by default
/// @param userDefinedSymbols texts that are always one id
public record TokenizerRecipe(
    @Nullable Integer vocabSize,
    @Nullable Long sampleBytes,
    @Nullable Double characterCoverage,
    @Nullable Boolean splitDigits,
    @Nullable Boolean addDummyPrefix,
    @Nullable Boolean whitespacePieces,
    @Nullable Integer maxPieceLength,
    @Nullable List<String> userDefinedSymbols) {

  /// The pieces that every vocabulary has: unknown, begin, end and the 256 bytes.
  public static final int FIXED_PIECES = 3 + 256;

  public TokenizerRecipe {
    vocabSize = vocabSize == null ? Integer.valueOf(8192) : vocabSize;
    sampleBytes = sampleBytes == null ? Long.valueOf(64L << 20) : sampleBytes;
    characterCoverage = characterCoverage == null ? Double.valueOf(0.9995) : characterCoverage;
    splitDigits = splitDigits == null ? Boolean.TRUE : splitDigits;
    addDummyPrefix = addDummyPrefix == null ? Boolean.TRUE : addDummyPrefix;
    whitespacePieces = whitespacePieces == null ? Boolean.TRUE : whitespacePieces;
    maxPieceLength = maxPieceLength == null ? Integer.valueOf(16) : maxPieceLength;
    userDefinedSymbols = userDefinedSymbols == null ? List.of() : List.copyOf(userDefinedSymbols);
    int least = FIXED_PIECES + userDefinedSymbols.size() + 1;
    require(vocabSize > least, "vocabSize is " + vocabSize + ", expected more than " + least);
    require(vocabSize <= 1 << 20, "vocabSize is " + vocabSize + ", expected at most 1048576");
    require(sampleBytes > 0, "sampleBytes is " + sampleBytes + ", expected more than 0");
    require(
        characterCoverage > 0 && characterCoverage <= 1,
        "characterCoverage is " + characterCoverage + ", expected a share in (0, 1]");
    require(
        maxPieceLength >= 1 && maxPieceLength <= 64,
        "maxPieceLength is " + maxPieceLength + ", expected 1 to 64");
    require(
        new HashSet<>(userDefinedSymbols).size() == userDefinedSymbols.size()
            && userDefinedSymbols.stream().noneMatch(String::isEmpty),
        "userDefinedSymbols must be different and not empty");
  }

  /// The defaults, with `vocabSize` ids.
  public static TokenizerRecipe ofVocabSize(int vocabSize) {
    return new TokenizerRecipe(vocabSize, null, null, null, null, null, null, null);
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new IllegalArgumentException(message);
    }
  }
}
