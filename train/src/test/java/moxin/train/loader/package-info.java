/// Tests of the package of the same name.
@NullMarked
package moxin.train.loader;

import org.jspecify.annotations.NullMarked;
