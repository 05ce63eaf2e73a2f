/// Tests of token shards.
@NullMarked
package moxin.text.shard;

import org.jspecify.annotations.NullMarked;
