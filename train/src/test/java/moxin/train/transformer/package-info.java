/// Tests of the transformer on libtorch against a float64 computation and reference numbers.
@NullMarked
package moxin.train.transformer;

import org.jspecify.annotations.NullMarked;
