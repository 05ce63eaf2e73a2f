/// What tests of several modules need: the shared reference data, where it is present, and seeded
/// random inputs that can be replayed.
@NullMarked
package moxin.testing;

import org.jspecify.annotations.NullMarked;
