package moxin.text.sentencepiece;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import moxin.text.TokenizerFormatException;

/// What Moxin reads of a `tokenizer.model`, and writes: `sentencepiece_model.proto` of
/// google/sentencepiece.
///
/// @param pieces the vocabulary; the index of a piece is its id
public record SentencePieceModel(List<Piece> pieces, Trainer trainer, Normaliser normaliser) {

  /// The space as the vocabulary spells it, U+2581.
  public static final char SPACE = '▁';

  /// The largest file that is read.
  public static final long MAX_BYTES = 64L << 20;

  public SentencePieceModel {
    pieces = List.copyOf(pieces);
  }

  /// One entry of the vocabulary; of two possible merges the one with the higher score goes first.
  public record Piece(String text, float score, PieceType type) {}

  /// The kinds of pieces.
  public enum PieceType {
    NORMAL(1),
    UNKNOWN(2),
    CONTROL(3),
    USER_DEFINED(4),
    UNUSED(5),
    BYTE(6);

    private final int number;

    PieceType(int number) {
      this.number = number;
    }

    /// Its number in model files.
    public int number() {
      return number;
    }

    /// The type with `number`, if there is one.
    public static Optional<PieceType> ofNumber(long number) {
      return Arrays.stream(values()).filter(type -> type.number == number).findFirst();
    }
  }

  /// What the model's training says about it.
  ///
  /// @param modelType 1 for unigram, 2 for BPE
  public record Trainer(
      int modelType,
      boolean byteFallback,
      boolean whitespaceAsSuffix,
      String unknownSurface,
      String beginPiece,
      String endPiece,
      List<String> userDefinedSymbols) {

    public Trainer {
      userDefinedSymbols = List.copyOf(userDefinedSymbols);
    }

    /// The trainer part of a BPE model with byte fallback.
    public static Trainer bpe(List<String> userDefinedSymbols) {
      return new Trainer(BPE, true, false, " ⁇ ", "<s>", "</s>", userDefinedSymbols);
    }
  }

  /// How text is prepared before pieces are looked for.
  ///
  /// @param charsMap sentencepiece's compiled character map, empty for identity
  public record Normaliser(
      byte[] charsMap,
      boolean addDummyPrefix,
      boolean removeExtraWhitespaces,
      boolean escapeWhitespaces) {

    /// Text as it is, with or without a space put in front.
    public static Normaliser identity(boolean addDummyPrefix) {
      return new Normaliser(new byte[0], addDummyPrefix, false, true);
    }
  }

  static final int BPE = 2;

  /// Reads the model in `file`.
  ///
  /// @throws TokenizerFormatException if it is not a SentencePiece model
  public static SentencePieceModel load(Path file) throws IOException {
    long size = Files.size(file);
    if (size > MAX_BYTES) {
      throw new TokenizerFormatException(
          file + ": has " + size + " bytes, expected at most " + MAX_BYTES);
    }
    return parse(file.toString(), Files.readAllBytes(file));
  }

  /// Reads a model from `bytes`; `origin` names it in errors.
  ///
  /// @throws TokenizerFormatException if they are not a SentencePiece model
  public static SentencePieceModel parse(String origin, byte[] bytes) {
    return new Parser().model(new ProtobufReader(origin, bytes));
  }

  /// The model as sentencepiece itself reads it.
  public byte[] toBytes() {
    ProtobufWriter out = new ProtobufWriter();
    for (Piece piece : pieces) {
      out.message(
          1,
          new ProtobufWriter()
              .string(1, piece.text())
              .float32(2, piece.score())
              .int32(3, piece.type().number));
    }
    ProtobufWriter trainerSpec =
        new ProtobufWriter().int32(3, trainer.modelType()).int32(4, pieces.size());
    for (String symbol : trainer.userDefinedSymbols()) {
      trainerSpec.string(31, symbol);
    }
    trainerSpec
        .bool(24, trainer.whitespaceAsSuffix())
        .bool(35, trainer.byteFallback())
        .string(44, trainer.unknownSurface())
        .string(46, trainer.beginPiece())
        .string(47, trainer.endPiece());
    return out.message(2, trainerSpec)
        .message(
            3,
            new ProtobufWriter()
                .string(1, "identity")
                .bytes(2, normaliser.charsMap())
                .bool(3, normaliser.addDummyPrefix())
                .bool(4, normaliser.removeExtraWhitespaces())
                .bool(5, normaliser.escapeWhitespaces()))
        .toBytes();
  }

  /// Gathers the fields; later ones replace earlier ones, as protobuf has it.
  private static final class Parser {
    private final List<Piece> pieces = new ArrayList<>();
    private int modelType = 1;
    private boolean byteFallback;
    private boolean whitespaceAsSuffix;
    private String unknownSurface = " ⁇ ";
    private String beginPiece = "<s>";
    private String endPiece = "</s>";
    private final List<String> userDefinedSymbols = new ArrayList<>();
    private byte[] charsMap = {};
    private boolean addDummyPrefix = true;
    private boolean removeExtraWhitespaces = true;
    private boolean escapeWhitespaces = true;

    SentencePieceModel model(ProtobufReader in) {
      while (in.next()) {
        switch (in.field()) {
          case 1 -> pieces.add(piece(in.message()));
          case 2 -> trainer(in.message());
          case 3 -> normaliser(in.message());
          case 5 -> requireNoDenormaliser(in.message());
          default -> in.skip();
        }
      }
      if (pieces.isEmpty()) {
        throw in.bad("no pieces, expected a SentencePiece model");
      }
      return new SentencePieceModel(
          pieces,
          new Trainer(
              modelType,
              byteFallback,
              whitespaceAsSuffix,
              unknownSurface,
              beginPiece,
              endPiece,
              userDefinedSymbols),
          new Normaliser(charsMap, addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces));
    }

    private static Piece piece(ProtobufReader in) {
      String text = "";
      float score = 0;
      PieceType type = PieceType.NORMAL;
      while (in.next()) {
        switch (in.field()) {
          case 1 -> text = in.string();
          case 2 -> score = in.float32();
          case 3 -> type = type(in);
          default -> in.skip();
        }
      }
      if (text.isEmpty() || Float.isNaN(score)) {
        throw in.bad("a piece needs a text and a score, found '" + text + "' and " + score);
      }
      return new Piece(text, score, type);
    }

    private static PieceType type(ProtobufReader in) {
      int number = in.int32();
      return PieceType.ofNumber(number)
          .orElseThrow(() -> in.bad("piece type " + number + ", expected 1 to 6"));
    }

    private void trainer(ProtobufReader in) {
      while (in.next()) {
        switch (in.field()) {
          case 3 -> modelType = in.int32();
          case 24 -> whitespaceAsSuffix = in.bool();
          case 31 -> userDefinedSymbols.add(in.string());
          case 35 -> byteFallback = in.bool();
          case 44 -> unknownSurface = in.string();
          case 46 -> beginPiece = in.string();
          case 47 -> endPiece = in.string();
          default -> in.skip();
        }
      }
    }

    private void normaliser(ProtobufReader in) {
      while (in.next()) {
        switch (in.field()) {
          case 2 -> charsMap = in.bytes();
          case 3 -> addDummyPrefix = in.bool();
          case 4 -> removeExtraWhitespaces = in.bool();
          case 5 -> escapeWhitespaces = in.bool();
          default -> in.skip();
        }
      }
    }

    private static void requireNoDenormaliser(ProtobufReader in) {
      while (in.next()) {
        if (in.field() == 2 && in.bytes().length > 0) {
          throw in.bad("a character map for decoding, which is not supported");
        } else if (in.field() != 2) {
          in.skip();
        }
      }
    }
  }
}
