/// Tests of the package of the same name.
@NullMarked
package moxin.train.report;

import org.jspecify.annotations.NullMarked;
