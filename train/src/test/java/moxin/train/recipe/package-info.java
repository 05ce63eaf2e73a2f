/// Tests of the package of the same name.
@NullMarked
package moxin.train.recipe;

import org.jspecify.annotations.NullMarked;
