package moxin.infer.schedule;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import moxin.text.TextStream;
import moxin.text.Tokenizer;

/// Ids 3 to 28 are the letters.
final class LetterTokenizer implements Tokenizer {

  @Override
  public int vocabSize() {
    return HashModel.VOCABULARY;
  }

  @Override
  public int[] encode(String text) {
    return text.chars().map(letter -> letter - 'a' + 3).toArray();
  }

  @Override
  public String decode(int... ids) {
    return Arrays.stream(ids).mapToObj(this::piece).collect(Collectors.joining());
  }

  @Override
  public TextStream newTextStream() {
    return new TextStream() {
      @Override
      public String next(int id) {
        return piece(id);
      }

      @Override
      public String finish() {
        return "";
      }
    };
  }

  @Override
  public OptionalInt beginOfSequence() {
    return OptionalInt.of(1);
  }

  @Override
  public OptionalInt endOfSequence() {
    return OptionalInt.of(HashModel.END);
  }

  @Override
  public String piece(int id) {
    return id < 3 ? "" : Character.toString('a' + id - 3);
  }

  @Override
  public byte[] bytes(int id) {
    return piece(id).getBytes(StandardCharsets.UTF_8);
  }
}
