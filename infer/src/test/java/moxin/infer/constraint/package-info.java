/// Tests of constrained decoding.
@NullMarked
package moxin.infer.constraint;

import org.jspecify.annotations.NullMarked;
