/// Tests of the package of the same name.
@NullMarked
package moxin.train.run;

import org.jspecify.annotations.NullMarked;
