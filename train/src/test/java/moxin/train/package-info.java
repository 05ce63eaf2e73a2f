/// Tests of what learners and the loop share.
@NullMarked
package moxin.train;

import org.jspecify.annotations.NullMarked;
