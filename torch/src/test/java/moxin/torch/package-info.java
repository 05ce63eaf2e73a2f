/// Tests of the binding, on the bundled CPU libraries.
@NullMarked
package moxin.torch;

import org.jspecify.annotations.NullMarked;
