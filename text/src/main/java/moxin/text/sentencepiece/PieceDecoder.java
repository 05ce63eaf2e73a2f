package moxin.text.sentencepiece;

import java.nio.charset.StandardCharsets;
import moxin.text.TextStream;
import moxin.text.TokenizerFormatException;
import moxin.text.sentencepiece.SentencePieceModel.Piece;
import moxin.text.sentencepiece.SentencePieceModel.PieceType;

/// Ids back to text as `SentencePieceProcessor::Decode` does it: bytes are put together into UTF-8
/// with U+FFFD for each that fits nowhere, and the space put in front by encoding is taken away.
final class PieceDecoder {
  private static final char BAD = '�';

  private final PieceType[] types;
  private final String[] surfaces;
  private final int[] byteValues;
  private final boolean[] spelledWithSpace;
  private final boolean stripsFirstSpace;
  private final boolean stripsAllLeading;

  PieceDecoder(String origin, SentencePieceModel model) {
    int vocabSize = model.pieces().size();
    types = new PieceType[vocabSize];
    surfaces = new String[vocabSize];
    byteValues = new int[vocabSize];
    for (int id = 0; id < vocabSize; id++) {
      Piece piece = model.pieces().get(id);
      types[id] = piece.type();
      surfaces[id] =
          switch (piece.type()) {
            case CONTROL, BYTE -> "";
            case UNKNOWN -> model.trainer().unknownSurface();
            case NORMAL, USER_DEFINED, UNUSED ->
                piece.text().replace(SentencePieceModel.SPACE, ' ');
          };
      byteValues[id] = piece.type() == PieceType.BYTE ? byteOf(origin, piece.text()) : -1;
    }
    stripsAllLeading = model.normaliser().removeExtraWhitespaces();
    stripsFirstSpace = model.normaliser().addDummyPrefix() || stripsAllLeading;
    spelledWithSpace = new boolean[vocabSize];
    for (int id = 0; id < vocabSize; id++) {
      spelledWithSpace[id] = model.pieces().get(id).text().charAt(0) == SentencePieceModel.SPACE;
    }
  }

  /// The value of a byte piece such as `<0x0A>`.
  static int byteOf(String origin, String piece) {
    if (piece.length() == 6 && piece.startsWith("<0x") && piece.endsWith(">")) {
      int high = Character.digit(piece.charAt(3), 16);
      int low = Character.digit(piece.charAt(4), 16);
      if (high >= 0 && low >= 0) {
        return (high << 4) | low;
      }
    }
    throw new TokenizerFormatException(
        origin + ": byte piece '" + piece + "', expected one such as <0x0A>");
  }

  String decode(int[] ids) {
    Stream stream = new Stream();
    StringBuilder out = new StringBuilder(ids.length * 4);
    for (int id : ids) {
      stream.take(id, out);
    }
    stream.end(out);
    return out.toString();
  }

  /// What `id` adds to a text that has begun.
  byte[] bytes(int id) {
    requireId(id);
    return byteValues[id] >= 0
        ? new byte[] {(byte) byteValues[id]}
        : surfaces[id].getBytes(StandardCharsets.UTF_8);
  }

  private void requireId(int id) {
    if (id < 0 || id >= types.length) {
      throw new IllegalArgumentException("id " + id + " is not in [0, " + types.length + ")");
    }
  }

  TextStream newStream() {
    return new Stream();
  }

  private final class Stream implements TextStream {
    private final byte[] pending = new byte[4];
    private int pendingSize;
    private boolean atStart = true;
    private boolean spaceSeen;
    private boolean anyText;
    private final StringBuilder buffer = new StringBuilder();

    @Override
    public String next(int id) {
      take(id, buffer);
      return drain();
    }

    @Override
    public String finish() {
      end(buffer);
      return drain();
    }

    private String drain() {
      String text = buffer.toString();
      buffer.setLength(0);
      return text;
    }

    void take(int id, StringBuilder out) {
      requireId(id);
      if (byteValues[id] >= 0) {
        pending[pendingSize++] = (byte) byteValues[id];
        anyText = true;
        characters(out, false);
        return;
      }
      end(out);
      if (spaceSeen || anyText) {
        atStart = false;
      }
      spaceSeen = false;
      String surface = surfaces[id];
      if (atStart
          && stripsFirstSpace
          && spelledWithSpace[id]
          && types[id] != PieceType.CONTROL
          && types[id] != PieceType.UNKNOWN) {
        surface = surface.substring(1);
        spaceSeen = !stripsAllLeading;
      }
      anyText |= !surface.isEmpty();
      out.append(surface);
    }

    void end(StringBuilder out) {
      characters(out, true);
    }

    /// Hands out the characters at the head of the pending bytes; all of them if no more will come.
    private void characters(StringBuilder out, boolean last) {
      while (pendingSize > 0) {
        int needed = length(pending[0]);
        if (needed > pendingSize && !last && trailsFit()) {
          return;
        }
        int codePoint = needed <= pendingSize ? codePoint(needed) : -1;
        if (codePoint < 0) {
          out.append(BAD);
          drop(1);
        } else {
          out.appendCodePoint(codePoint);
          drop(needed);
        }
      }
    }

    private void drop(int n) {
      System.arraycopy(pending, n, pending, 0, pendingSize - n);
      pendingSize -= n;
    }

    private boolean trailsFit() {
      for (int i = 1; i < pendingSize; i++) {
        if ((pending[i] & 0xc0) != 0x80) {
          return false;
        }
      }
      return true;
    }

    private int codePoint(int length) {
      int first = pending[0] & 0xff;
      if (length == 1) {
        return first < 0x80 ? first : -1;
      }
      int value = first & (0xff >> (length + 1));
      for (int i = 1; i < length; i++) {
        if ((pending[i] & 0xc0) != 0x80) {
          return -1;
        }
        value = (value << 6) | (pending[i] & 0x3f);
      }
      int least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
      boolean surrogate = value >= 0xd800 && value < 0xe000;
      return value < least || surrogate || value > 0x10ffff ? -1 : value;
    }

    private static int length(byte first) {
      if ((first & 0xe0) == 0xc0) {
        return 2;
      }
      if ((first & 0xf0) == 0xe0) {
        return 3;
      }
      return (first & 0xf8) == 0xf0 ? 4 : 1;
    }
  }
}
