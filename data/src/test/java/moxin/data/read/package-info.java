/// Tests of what corpus preparation reads.
@NullMarked
package moxin.data.read;

import org.jspecify.annotations.NullMarked;
