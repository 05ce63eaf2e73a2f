package moxin.data.spark;

import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import moxin.text.TextStream;
import moxin.text.Tokenizer;

/// One token a byte, with a beginning and an end: the simplest tokenizer there is.
final class ByteTokenizer implements Tokenizer {

  @Override
  public int vocabSize() {
    return 258;
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
    throw new IllegalStateException("corpora are not decoded in a stream");
  }

  @Override
  public OptionalInt beginOfSequence() {
    return OptionalInt.of(256);
  }

  @Override
  public OptionalInt endOfSequence() {
    return OptionalInt.of(257);
  }

  @Override
  public String piece(int id) {
    return Integer.toString(id);
  }

  @Override
  public byte[] bytes(int id) {
    return id < 256 ? new byte[] {(byte) id} : new byte[0];
  }
}
