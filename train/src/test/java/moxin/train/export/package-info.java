/// Tests of the package of the same name.
@NullMarked
package moxin.train.export;

import org.jspecify.annotations.NullMarked;
