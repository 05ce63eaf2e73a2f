/// Tests of the package of the same name.
@NullMarked
package moxin.train.initial;

import org.jspecify.annotations.NullMarked;
