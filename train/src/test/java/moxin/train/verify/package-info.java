/// Tests of the package of the same name.
@NullMarked
package moxin.train.verify;

import org.jspecify.annotations.NullMarked;
