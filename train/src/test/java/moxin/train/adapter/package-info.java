/// Tests of adapters as files and as arithmetic.
@NullMarked
package moxin.train.adapter;

import org.jspecify.annotations.NullMarked;
