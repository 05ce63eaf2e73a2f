/// Token shards: tokenised documents on disk as a one-dimensional NumPy array beside a JSON index
/// of the documents in it.
///
/// Begin with [moxin.text.shard.TokenShard] to read and [moxin.text.shard.TokenShardWriter] to
/// write. What makes the tokens (Spark) and what consumes them (training) meet here and nowhere
/// else; this package knows neither.
@NullMarked
package moxin.text.shard;

import org.jspecify.annotations.NullMarked;
