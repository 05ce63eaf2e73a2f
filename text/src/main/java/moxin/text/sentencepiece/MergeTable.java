package moxin.text.sentencepiece;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import moxin.text.TokenizerFormatException;
import moxin.text.sentencepiece.SentencePieceModel.Piece;
import moxin.text.sentencepiece.SentencePieceModel.PieceType;

/// A vocabulary as merging needs it: symbols for characters, the symbol two neighbours merge into
/// and its rank, and which characters ever stand side by side inside a piece. Immutable.
///
/// A symbol is the id of a piece; or `vocabSize + n` for a character that stands inside pieces but
/// is none itself; or, negative, `~codePoint` for a character that no piece contains, and less than
/// [#FROZEN] for a user-defined piece, which never merges.
final class MergeTable {
  /// Symbols at and below this are user-defined pieces.
  static final int FROZEN = -0x200000;

  private static final int MAX_PIECE_CHARS = 256;

  private final String origin;
  private final List<Piece> pieces;
  private final boolean escaped;
  private final int unknown;
  private final int[] byteIds = new int[256];
  private final boolean byteFallback;
  private final Map<String, Integer> symbolOfText = new HashMap<>();
  private final Map<String, Integer> reserved = new HashMap<>();
  private final int[] rank;
  private final LongIntTable merges;
  private final LongIntTable neighbours = new LongIntTable(1 << 12);
  private final boolean[] asciiNeighbours = new boolean[128 * 128];
  private final int[] basicSymbols = new int[1 << 16];
  private final LongIntTable otherSymbols = new LongIntTable(64);
  private final IntList insideCodePoints = new IntList(64);
  private final PrefixMatcher userDefined;
  private final boolean hasUnused;
  private final int[] outputs;

  MergeTable(String origin, SentencePieceModel model) {
    this.origin = origin;
    this.pieces = model.pieces();
    this.escaped = model.normaliser().escapeWhitespaces();
    this.byteFallback = model.trainer().byteFallback();
    this.unknown = indexPieces();
    this.hasUnused = pieces.stream().anyMatch(piece -> piece.type() == PieceType.UNUSED);
    this.userDefined = new PrefixMatcher(userDefinedTexts());
    Arrays.fill(basicSymbols, Integer.MIN_VALUE);
    indexCharacters();
    this.rank = ranks();
    this.merges = merges();
    this.outputs = outputs();
  }

  /// The symbol that `left` and `right` merge into, or -1.
  int merged(int left, int right) {
    return left < 0 || right < 0 ? -1 : merges.get(((long) left << 32) | right, -1);
  }

  /// The place of piece `id` in the order of merging, lowest first; equal scores have equal ranks.
  int rank(int id) {
    return rank[id];
  }

  /// The symbol of a character alone.
  int symbol(int codePoint) {
    int symbol =
        codePoint < 1 << 16
            ? basicSymbols[codePoint]
            : otherSymbols.get(codePoint, Integer.MIN_VALUE);
    return symbol == Integer.MIN_VALUE ? ~codePoint : symbol;
  }

  /// Whether some piece contains the characters `a` and `b` side by side. Where not, no merge ever
  /// reaches across, and the text can be cut.
  boolean areNeighbours(int a, int b) {
    return (a | b) < 128
        ? asciiNeighbours[(a << 7) | b]
        : neighbours.get(((long) a << 32) | b, 0) == 1;
  }

  boolean[] asciiNeighbours() {
    return asciiNeighbours;
  }

  PrefixMatcher userDefined() {
    return userDefined;
  }

  /// Whether pieces exist that must be taken apart again after merging.
  boolean hasUnused() {
    return hasUnused;
  }

  boolean isUnused(int symbol) {
    return symbol >= 0 && symbol < pieces.size() && pieces.get(symbol).type() == PieceType.UNUSED;
  }

  int vocabSize() {
    return pieces.size();
  }

  int unknown() {
    return unknown;
  }

  boolean byteFallback() {
    return byteFallback;
  }

  /// Appends the ids of `symbol`: its piece, the bytes of an unknown character, or the unknown
  /// piece.
  void emit(int symbol, IntList out) {
    if (symbol <= FROZEN) {
      out.add(FROZEN - symbol);
      return;
    }
    int id = symbol < 0 ? unknown : outputs[symbol];
    if (id != unknown || !byteFallback) {
      out.add(id);
      return;
    }
    int codePoint = symbol < 0 ? ~symbol : codePointInside(symbol);
    int spelled = escaped && codePoint == ' ' ? SentencePieceModel.SPACE : codePoint;
    for (byte b : Character.toString(spelled).getBytes(StandardCharsets.UTF_8)) {
      out.add(byteIds[b & 0xff]);
    }
  }

  private int codePointInside(int symbol) {
    return symbol < pieces.size()
        ? internal(pieces.get(symbol).text()).codePointAt(0)
        : insideCodePoints.get(symbol - pieces.size());
  }

  private String internal(String text) {
    return escaped ? text.replace(SentencePieceModel.SPACE, ' ') : text;
  }

  /// Whether a piece can be found in prepared text at all.
  private boolean isReachable(Piece piece) {
    return !escaped || piece.text().indexOf(' ') < 0;
  }

  private boolean merges(int id) {
    Piece piece = pieces.get(id);
    return (piece.type() == PieceType.NORMAL || piece.type() == PieceType.UNUSED)
        && isReachable(piece);
  }

  private int indexPieces() {
    int unknownId = -1;
    int bytes = 0;
    Map<String, Integer> inText = new HashMap<>();
    for (int id = 0; id < pieces.size(); id++) {
      Piece piece = pieces.get(id);
      boolean special =
          switch (piece.type()) {
            case UNKNOWN, CONTROL, BYTE -> true;
            case NORMAL, USER_DEFINED, UNUSED -> false;
          };
      if ((special ? reserved : inText).put(piece.text(), id) != null) {
        throw bad("piece " + id + " '" + piece.text() + "' stands there twice");
      }
      if (piece.type() == PieceType.UNKNOWN) {
        if (unknownId >= 0) {
          throw bad("pieces " + unknownId + " and " + id + " are both of type unknown");
        }
        unknownId = id;
      } else if (piece.type() == PieceType.BYTE) {
        byteIds[PieceDecoder.byteOf(origin, piece.text())] = id;
        bytes++;
      } else if (merges(id)) {
        if (piece.text().length() > MAX_PIECE_CHARS) {
          throw bad("piece " + id + " has more than " + MAX_PIECE_CHARS + " characters");
        }
        symbolOfText.put(internal(piece.text()), id);
      }
    }
    if (unknownId < 0) {
      throw bad("no piece of type unknown");
    }
    if (byteFallback && bytes != 256) {
      throw bad("byte fallback with " + bytes + " byte pieces, expected 256");
    }
    return unknownId;
  }

  private Map<String, Integer> userDefinedTexts() {
    Map<String, Integer> texts = new HashMap<>();
    for (int id = 0; id < pieces.size(); id++) {
      Piece piece = pieces.get(id);
      if (piece.type() == PieceType.USER_DEFINED && isReachable(piece)) {
        texts.put(internal(piece.text()), id);
      }
    }
    return texts;
  }

  private void indexCharacters() {
    for (int id = 0; id < pieces.size(); id++) {
      if (!merges(id)) {
        continue;
      }
      int[] codePoints = internal(pieces.get(id).text()).codePoints().toArray();
      for (int i = 0; i < codePoints.length; i++) {
        indexCharacter(codePoints[i]);
        if (i > 0) {
          int a = codePoints[i - 1];
          int b = codePoints[i];
          neighbours.put(((long) a << 32) | b, 1);
          if ((a | b) < 128) {
            asciiNeighbours[(a << 7) | b] = true;
          }
        }
      }
    }
    reserved.forEach(
        (text, id) -> {
          String found = internal(text);
          if (found.codePointCount(0, found.length()) == 1) {
            indexCharacter(found.codePointAt(0));
          }
        });
  }

  private void indexCharacter(int codePoint) {
    String text = Character.toString(codePoint);
    Integer symbol = symbolOfText.get(text);
    if (symbol == null) {
      symbol = pieces.size() + insideCodePoints.size();
      insideCodePoints.add(codePoint);
      symbolOfText.put(text, symbol);
    }
    if (codePoint < 1 << 16) {
      basicSymbols[codePoint] = symbol;
    } else {
      otherSymbols.put(codePoint, symbol);
    }
  }

  private int[] ranks() {
    int[] order =
        IntStream.range(0, pieces.size())
            .boxed()
            .sorted((a, b) -> Float.compare(pieces.get(b).score(), pieces.get(a).score()))
            .mapToInt(Integer::intValue)
            .toArray();
    int[] ranks = new int[order.length];
    for (int i = 1; i < order.length; i++) {
      // Float.compare tells -0 from 0, and sentencepiece does not.
      boolean equal = pieces.get(order[i]).score() == pieces.get(order[i - 1]).score();
      ranks[order[i]] = ranks[order[i - 1]] + (equal ? 0 : 1);
    }
    return ranks;
  }

  private LongIntTable merges() {
    LongIntTable table = new LongIntTable(pieces.size() * 4);
    for (int id = 0; id < pieces.size(); id++) {
      if (!merges(id)) {
        continue;
      }
      String text = internal(pieces.get(id).text());
      for (int cut = text.offsetByCodePoints(0, 1);
          cut < text.length();
          cut = text.offsetByCodePoints(cut, 1)) {
        Integer left = symbolOfText.get(text.substring(0, cut));
        Integer right = left == null ? null : symbolOfText.get(text.substring(cut));
        if (left != null && right != null) {
          table.put(((long) left << 32) | right, id);
        }
      }
    }
    return table;
  }

  private int[] outputs() {
    int[] ids = new int[pieces.size() + insideCodePoints.size()];
    for (int symbol = 0; symbol < ids.length; symbol++) {
      boolean piece = symbol < pieces.size();
      String text =
          piece
              ? pieces.get(symbol).text()
              : escapedText(insideCodePoints.get(symbol - pieces.size()));
      ids[symbol] = reserved.getOrDefault(text, piece ? symbol : unknown);
    }
    return ids;
  }

  private String escapedText(int codePoint) {
    return Character.toString(escaped && codePoint == ' ' ? SentencePieceModel.SPACE : codePoint);
  }

  private TokenizerFormatException bad(String what) {
    return new TokenizerFormatException(origin + ": " + what);
  }
}
