/// Tests of corpus preparation.
@NullMarked
package moxin.data;

import org.jspecify.annotations.NullMarked;
