package moxin.eval;

import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import moxin.text.TextStream;
import moxin.text.Tokenizer;

/// A byte is an id; id 1 also begins a sequence.
final class ByteTokenizer implements Tokenizer {

  @Override
  public int vocabSize() {
    return 256;
  }

  @Override
  public int[] encode(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int[] ids = new int[bytes.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = bytes[i] & 0xFF;
    }
    return ids;
  }

  @Override
  public String decode(int... ids) {
    byte[] bytes = new byte[ids.length];
    for (int i = 0; i < ids.length; i++) {
      bytes[i] = (byte) ids[i];
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }

  @Override
  public TextStream newTextStream() {
    return new TextStream() {
      @Override
      public String next(int id) {
        return decode(id);
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
    return OptionalInt.of(2);
  }

  @Override
  public String piece(int id) {
    return Integer.toString(id);
  }

  @Override
  public byte[] bytes(int id) {
    return new byte[] {(byte) id};
  }
}
