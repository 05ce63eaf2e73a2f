/// Tests of the quantised formats.
@NullMarked
package moxin.model.quantised;

import org.jspecify.annotations.NullMarked;
