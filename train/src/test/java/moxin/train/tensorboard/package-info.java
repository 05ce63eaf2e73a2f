/// Tests of the package of the same name.
@NullMarked
package moxin.train.tensorboard;

import org.jspecify.annotations.NullMarked;
