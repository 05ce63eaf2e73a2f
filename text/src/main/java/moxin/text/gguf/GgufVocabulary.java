package moxin.text.gguf;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import moxin.text.sentencepiece.SentencePieceModel;
import moxin.text.sentencepiece.SentencePieceModel.Normaliser;
import moxin.text.sentencepiece.SentencePieceModel.Piece;
import moxin.text.sentencepiece.SentencePieceModel.PieceType;
import moxin.text.sentencepiece.SentencePieceModel.Trainer;

/// The SentencePiece vocabulary in a GGUF file, `tokenizer.ggml.model = llama`: its pieces, scores
/// and types are those of the `tokenizer.model` that it was made from, and so are the ids of every
/// text.
public final class GgufVocabulary {

  private static final String PREFIX = "tokenizer.ggml.";
  private static final String MODEL = PREFIX + "model";
  private static final String TOKENS = PREFIX + "tokens";
  private static final String SCORES = PREFIX + "scores";
  private static final String TYPES = PREFIX + "token_type";
  private static final String BEGIN = PREFIX + "bos_token_id";
  private static final String END = PREFIX + "eos_token_id";
  private static final String UNKNOWN = PREFIX + "unknown_token_id";
  private static final String ADD_SPACE_PREFIX = PREFIX + "add_space_prefix";
  private static final String REMOVE_EXTRA_WHITESPACES = PREFIX + "remove_extra_whitespaces";
  private static final String CHARS_MAP = PREFIX + "precompiled_charsmap";

  /// What llama.cpp calls a SentencePiece BPE vocabulary with byte fallback.
  private static final String SENTENCE_PIECE = "llama";

  private static final float PADDING_SCORE = -1000;

  private final GgufMetadata metadata;

  private GgufVocabulary(GgufMetadata metadata) {
    this.metadata = metadata;
  }

  /// The vocabulary in `metadata`. The piece with the unknown id is the unknown one, whatever its
  /// type; others of that type, with which some converters fill gaps, never come from text.
  ///
  /// @throws GgufFormatException if there is none, or one of another kind
  public static SentencePieceModel read(GgufMetadata metadata) {
    return new GgufVocabulary(metadata).model();
  }

  private SentencePieceModel model() {
    String kind =
        metadata.text(MODEL).orElseThrow(() -> metadata.wrong(MODEL, null, SENTENCE_PIECE));
    if (!kind.equals(SENTENCE_PIECE)) {
      throw metadata.wrong(MODEL, kind, SENTENCE_PIECE + " (SentencePiece BPE)");
    }
    List<Piece> pieces = pieces();
    boolean byteFallback = pieces.stream().anyMatch(piece -> piece.type() == PieceType.BYTE);
    List<String> userDefined =
        pieces.stream()
            .filter(piece -> piece.type() == PieceType.USER_DEFINED)
            .map(Piece::text)
            .toList();
    Trainer plain = Trainer.bpe(userDefined);
    Trainer trainer =
        new Trainer(
            plain.modelType(),
            byteFallback,
            plain.whitespaceAsSuffix(),
            plain.unknownSurface(),
            pieces.get(id(BEGIN, 1, pieces.size())).text(),
            pieces.get(id(END, 2, pieces.size())).text(),
            userDefined);
    return new SentencePieceModel(
        pieces,
        trainer,
        new Normaliser(
            charsMap(),
            metadata.flag(ADD_SPACE_PREFIX).orElse(true),
            metadata.flag(REMOVE_EXTRA_WHITESPACES).orElse(false),
            true));
  }

  private List<Piece> pieces() {
    if (!(metadata.value(TOKENS).orElse(null) instanceof GgufValue.Texts tokens)
        || tokens.values().isEmpty()) {
      throw metadata.wrong(TOKENS, kind(TOKENS), "a list of strings");
    }
    int count = tokens.values().size();
    GgufValue.Numbers scores = numbers(SCORES, count);
    GgufValue.Numbers types = numbers(TYPES, count);
    List<Piece> pieces = new ArrayList<>(count);
    int unknown = id(UNKNOWN, 0, count);
    for (int id = 0; id < count; id++) {
      String token = tokens.values().get(id);
      String text = token.isEmpty() ? "[EMPTY_" + id + "]" : token;
      double score = scores.real(id);
      if (Double.isNaN(score)) {
        throw metadata.wrong(SCORES, "NaN for token " + id, "numbers");
      }
      PieceType type = type(types.whole(id), id);
      if (id == unknown) {
        type = PieceType.UNKNOWN;
      } else if (type == PieceType.UNKNOWN) {
        type = PieceType.CONTROL;
      }
      pieces.add(new Piece(text, (float) score, type));
    }
    return pieces;
  }

  private PieceType type(long number, int id) {
    return PieceType.ofNumber(number)
        .orElseThrow(() -> metadata.wrong(TYPES, number + " for token " + id, "1 to 6"));
  }

  private GgufValue.Numbers numbers(String key, int count) {
    if (!(metadata.value(key).orElse(null) instanceof GgufValue.Numbers numbers)) {
      throw metadata.wrong(key, kind(key), "a list of numbers");
    }
    if (numbers.size() != count) {
      throw metadata.wrong(key, numbers.size() + " elements", count + ", one for each token");
    }
    return numbers;
  }

  private byte[] charsMap() {
    return switch (metadata.value(CHARS_MAP).orElse(null)) {
      case null -> new byte[0];
      case GgufValue.Numbers numbers
          when numbers.elementType() == GgufType.UINT8 || numbers.elementType() == GgufType.INT8 ->
          numbers.data().clone();
      case GgufValue other -> throw metadata.wrong(CHARS_MAP, other.kind(), "a list of bytes");
    };
  }

  private int id(String key, int absent, int count) {
    int id = metadata.integer(key).orElse(absent);
    if (id >= count) {
      throw metadata.wrong(key, Integer.toString(id), "an id below " + count);
    }
    return id;
  }

  private String kind(String key) {
    return metadata.value(key).map(GgufValue::kind).orElse("nothing");
  }

  /// The pairs that describe `model`, in the order in which llama.cpp's converters write them.
  ///
  /// @param vocabSize rows of the embedding; those beyond the pieces of `model` get pieces that no
  ///   text becomes
  /// @throws IllegalArgumentException if GGUF has no way to say what `model` is
  public static Map<String, GgufValue> pairs(SentencePieceModel model, int vocabSize) {
    requireExpressible(model);
    if (vocabSize < model.pieces().size()) {
      throw new IllegalArgumentException(
          "the tokenizer has "
              + model.pieces().size()
              + " pieces, the model embeds only "
              + vocabSize);
    }
    List<Piece> pieces = new ArrayList<>(model.pieces());
    while (pieces.size() < vocabSize) {
      pieces.add(new Piece("[PAD" + pieces.size() + "]", PADDING_SCORE, PieceType.UNUSED));
    }
    float[] scores = new float[pieces.size()];
    int[] types = new int[pieces.size()];
    for (int id = 0; id < scores.length; id++) {
      scores[id] = pieces.get(id).score();
      types[id] = pieces.get(id).type().number();
    }
    Map<String, GgufValue> pairs = new LinkedHashMap<>();
    pairs.put(MODEL, GgufValue.of(SENTENCE_PIECE));
    pairs.put(PREFIX + "pre", GgufValue.of("default"));
    pairs.put(TOKENS, new GgufValue.Texts(pieces.stream().map(Piece::text).toList()));
    pairs.put(SCORES, GgufValue.Numbers.of(scores));
    pairs.put(TYPES, GgufValue.Numbers.of(types));
    OptionalInt begin = find(pieces, model.trainer().beginPiece());
    begin.ifPresent(id -> pairs.put(BEGIN, GgufValue.of(id)));
    find(pieces, model.trainer().endPiece()).ifPresent(id -> pairs.put(END, GgufValue.of(id)));
    for (int id = 0; id < scores.length; id++) {
      if (pieces.get(id).type() == PieceType.UNKNOWN) {
        pairs.put(UNKNOWN, GgufValue.of(id));
      }
    }
    pairs.put(PREFIX + "add_bos_token", GgufValue.of(begin.isPresent()));
    pairs.put(PREFIX + "add_eos_token", GgufValue.of(false));
    pairs.put(ADD_SPACE_PREFIX, GgufValue.of(model.normaliser().addDummyPrefix()));
    if (model.normaliser().removeExtraWhitespaces()) {
      pairs.put(REMOVE_EXTRA_WHITESPACES, GgufValue.of(true));
    }
    if (model.normaliser().charsMap().length > 0) {
      pairs.put(
          CHARS_MAP, new GgufValue.Numbers(GgufType.UINT8, model.normaliser().charsMap().clone()));
    }
    return pairs;
  }

  private static void requireExpressible(SentencePieceModel model) {
    if (model.trainer().modelType() != Trainer.bpe(List.of()).modelType()
        || model.trainer().whitespaceAsSuffix()
        || !model.normaliser().escapeWhitespaces()) {
      throw new IllegalArgumentException(
          "GGUF holds SentencePiece BPE with spaces in front and escaped only");
    }
    Set<String> texts = new HashSet<>();
    for (Piece piece : model.pieces()) {
      if (!texts.add(piece.text())) {
        throw new IllegalArgumentException(
            "GGUF holds each piece once, and '" + piece.text() + "' stands there twice");
      }
    }
  }

  private static OptionalInt find(List<Piece> pieces, String text) {
    for (int id = 0; id < pieces.size(); id++) {
      if (pieces.get(id).type() == PieceType.CONTROL && pieces.get(id).text().equals(text)) {
        return OptionalInt.of(id);
      }
    }
    return OptionalInt.empty();
  }
}
