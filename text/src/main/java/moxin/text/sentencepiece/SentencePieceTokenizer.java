package moxin.text.sentencepiece;

import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentLinkedDeque;
import moxin.text.TextStream;
import moxin.text.Tokenizer;
import moxin.text.TokenizerFormatException;

/// A SentencePiece BPE model: ids and text exactly as sentencepiece gives them. Thread-safe; what
/// it remembers between calls bounds its memory and never changes a result.
public final class SentencePieceTokenizer implements Tokenizer {
  private final SentencePieceModel model;
  private final TextNormaliser normaliser;
  private final MergeTable table;
  private final PieceDecoder decoder;

  /// As many as ever encoded at the same time; each remembers for itself.
  private final ConcurrentLinkedDeque<BpeEncoder> encoders = new ConcurrentLinkedDeque<>();

  private SentencePieceTokenizer(String origin, SentencePieceModel model) {
    if (model.trainer().modelType() != SentencePieceModel.BPE) {
      throw new TokenizerFormatException(
          origin + ": model type " + model.trainer().modelType() + ", expected 2 (BPE)");
    }
    this.model = model;
    this.normaliser = new TextNormaliser(origin, model);
    this.table = new MergeTable(origin, model);
    this.decoder = new PieceDecoder(origin, model);
  }

  /// Loads a `tokenizer.model`.
  ///
  /// @throws TokenizerFormatException if it is not a SentencePiece BPE model
  public static SentencePieceTokenizer load(Path file) throws IOException {
    return new SentencePieceTokenizer(file.toString(), SentencePieceModel.load(file));
  }

  /// The tokenizer of a model; `origin` names it in errors.
  ///
  /// @throws TokenizerFormatException if it is not a usable BPE model
  public static SentencePieceTokenizer of(String origin, SentencePieceModel model) {
    return new SentencePieceTokenizer(origin, model);
  }

  /// The model behind this tokenizer.
  public SentencePieceModel model() {
    return model;
  }

  @Override
  public int vocabSize() {
    return model.pieces().size();
  }

  @Override
  public int[] encode(String text) {
    char[] prepared = normaliser.normalise(text);
    BpeEncoder encoder = encoders.poll();
    if (encoder == null) {
      encoder = new BpeEncoder(table);
    }
    int[] ids = encoder.encode(prepared);
    encoders.push(encoder);
    return ids;
  }

  @Override
  public String decode(int... ids) {
    return decoder.decode(ids);
  }

  @Override
  public TextStream newTextStream() {
    return decoder.newStream();
  }

  @Override
  public OptionalInt beginOfSequence() {
    return control(model.trainer().beginPiece());
  }

  @Override
  public OptionalInt endOfSequence() {
    return control(model.trainer().endPiece());
  }

  @Override
  public String piece(int id) {
    return model.pieces().get(id).text();
  }

  @Override
  public byte[] bytes(int id) {
    return decoder.bytes(id);
  }

  private OptionalInt control(String text) {
    for (int id = 0; id < model.pieces().size(); id++) {
      SentencePieceModel.Piece piece = model.pieces().get(id);
      if (piece.type() == SentencePieceModel.PieceType.CONTROL && piece.text().equals(text)) {
        return OptionalInt.of(id);
      }
    }
    return OptionalInt.empty();
  }
}
