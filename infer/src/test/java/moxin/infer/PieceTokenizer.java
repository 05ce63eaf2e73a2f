package moxin.infer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import moxin.text.TextStream;
import moxin.text.Tokenizer;

/// A tokenizer of given pieces of bytes. Id 0 begins a sequence, id 1 ends one; encoding takes the
/// longest piece that fits.
public final class PieceTokenizer implements Tokenizer {
  private final List<byte[]> pieces = new ArrayList<>();

  private PieceTokenizer(List<byte[]> pieces) {
    this.pieces.add(new byte[0]);
    this.pieces.add(new byte[0]);
    this.pieces.addAll(pieces);
  }

  /// Exactly these pieces.
  public static PieceTokenizer of(List<byte[]> pieces) {
    return new PieceTokenizer(pieces);
  }

  /// Every byte, then these texts.
  public static PieceTokenizer withBytes(String... texts) {
    List<byte[]> pieces = new ArrayList<>();
    for (int b = 0; b < 256; b++) {
      pieces.add(new byte[] {(byte) b});
    }
    for (String text : texts) {
      pieces.add(text.getBytes(StandardCharsets.UTF_8));
    }
    return new PieceTokenizer(pieces);
  }

  @Override
  public int vocabSize() {
    return pieces.size();
  }

  @Override
  public int[] encode(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    List<Integer> ids = new ArrayList<>();
    for (int at = 0; at < bytes.length; ) {
      int best = -1;
      for (int id = 0; id < pieces.size(); id++) {
        byte[] piece = pieces.get(id);
        boolean longer = best < 0 ? piece.length > 0 : piece.length > pieces.get(best).length;
        if (longer && startsWith(bytes, at, piece)) {
          best = id;
        }
      }
      ids.add(best);
      at += pieces.get(best).length;
    }
    return ids.stream().mapToInt(id -> id).toArray();
  }

  private static boolean startsWith(byte[] bytes, int at, byte[] piece) {
    return at + piece.length <= bytes.length
        && Arrays.equals(bytes, at, at + piece.length, piece, 0, piece.length);
  }

  @Override
  public String decode(int... ids) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int id : ids) {
      out.writeBytes(pieces.get(id));
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  @Override
  public TextStream newTextStream() {
    return new TextStream() {
      private final ByteArrayOutputStream pending = new ByteArrayOutputStream();

      @Override
      public String next(int id) {
        pending.writeBytes(pieces.get(id));
        byte[] bytes = pending.toByteArray();
        int last = bytes.length - 1;
        while (last >= 0 && (bytes[last] & 0xC0) == 0x80) {
          last--;
        }
        int length = last < 0 ? 0 : length(bytes[last]);
        int whole = last >= 0 && last + length > bytes.length ? last : bytes.length;
        pending.reset();
        pending.write(bytes, whole, bytes.length - whole);
        return new String(bytes, 0, whole, StandardCharsets.UTF_8);
      }

      @Override
      public String finish() {
        return pending.toString(StandardCharsets.UTF_8);
      }
    };
  }

  private static int length(byte first) {
    int value = first & 0xFF;
    return value < 0xC0 ? 1 : value < 0xE0 ? 2 : value < 0xF0 ? 3 : 4;
  }

  @Override
  public OptionalInt beginOfSequence() {
    return OptionalInt.of(0);
  }

  @Override
  public OptionalInt endOfSequence() {
    return OptionalInt.of(1);
  }

  @Override
  public String piece(int id) {
    return id + ":" + new String(pieces.get(id), StandardCharsets.ISO_8859_1);
  }

  @Override
  public byte[] bytes(int id) {
    return pieces.get(id).clone();
  }
}
