package moxin.bench;

import java.util.OptionalInt;
import moxin.text.TextStream;
import moxin.text.Tokenizer;

/// A tokenizer whose ids have no text, for measurements in which only the model counts.
///
/// @param vocabSize of the model
record NoText(int vocabSize) implements Tokenizer {
  private static final int[] NO_IDS = {};
  private static final byte[] NO_BYTES = {};

  @Override
  public int[] encode(String text) {
    return NO_IDS;
  }

  @Override
  public String decode(int... ids) {
    return "";
  }

  @Override
  public TextStream newTextStream() {
    return new TextStream() {
      @Override
      public String next(int id) {
        return "";
      }

      @Override
      public String finish() {
        return "";
      }
    };
  }

  @Override
  public OptionalInt beginOfSequence() {
    return OptionalInt.empty();
  }

  @Override
  public OptionalInt endOfSequence() {
    return OptionalInt.empty();
  }

  @Override
  public String piece(int id) {
    return "";
  }

  @Override
  public byte[] bytes(int id) {
    return NO_BYTES;
  }
}
