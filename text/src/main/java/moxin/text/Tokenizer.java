package moxin.text;

import java.util.OptionalInt;

/// Text to token ids and back. Immutable and thread-safe.
public interface Tokenizer {

  /// The number of ids; every id is in `[0, vocabSize)`.
  int vocabSize();

  /// The ids of `text` alone: no beginning-of-sequence, no end-of-sequence.
  int[] encode(String text);

  /// The text of `ids`. Control tokens have no text; bytes that are no UTF-8 become U+FFFD.
  String decode(int... ids);

  /// A decoder that is given ids one by one and hands out text as soon as its characters are whole.
  TextStream newTextStream();

  /// The id that begins a sequence, where the vocabulary has one.
  OptionalInt beginOfSequence();

  /// The id that ends a sequence, where the vocabulary has one.
  OptionalInt endOfSequence();

  /// The piece behind `id` as the vocabulary spells it, such as `▁the` or `<0x0A>`.
  String piece(int id);

  /// The bytes that `id` adds to a text that has begun: UTF-8, or a part of a character's where the
  /// vocabulary falls back to bytes; none for control tokens. Decoding may leave out a space in
  /// front of the whole text; the bytes here have it. A new array.
  ///
  /// @throws IllegalArgumentException if `id` is not in `[0, vocabSize)`
  byte[] bytes(int id);
}
