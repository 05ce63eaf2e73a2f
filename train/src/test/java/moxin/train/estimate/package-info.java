/// Tests of the package of the same name.
@NullMarked
package moxin.train.estimate;

import org.jspecify.annotations.NullMarked;
