/// Tokenizers: text to token ids and back, exactly as the reference implementations do it.
///
/// Begin with [moxin.text.Tokenizer]. Token shards, the form in which tokenised documents are kept
/// on disk, live in `moxin.text.shard`. This package knows no model and no network.
@NullMarked
package moxin.text;

import org.jspecify.annotations.NullMarked;
