/// Tests of what corpus preparation reads.
@NullMarked
package moxin.data.source;

import org.jspecify.annotations.NullMarked;
