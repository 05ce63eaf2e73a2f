/// SentencePiece BPE models: reading and writing `tokenizer.model`, exact encoding and decoding.
///
/// Begin with [moxin.text.sentencepiece.SentencePieceTokenizer]. Text passes through a normaliser,
/// is cut where no merge can ever reach across ([moxin.text.sentencepiece.MergeTable]), and each
/// cut is merged once and then remembered ([moxin.text.sentencepiece.BpeEncoder]). The reference
/// for every rule is google/sentencepiece: `normalizer.cc`, `bpe_model.cc`,
/// `sentencepiece_processor.cc`, `sentencepiece_model.proto`. New vocabularies are learned by
/// [moxin.text.sentencepiece.BpeTrainer].
@NullMarked
package moxin.text.sentencepiece;

import org.jspecify.annotations.NullMarked;
