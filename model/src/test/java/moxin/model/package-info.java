/// Tests of this module, and [moxin.model.LanguageModelContract], the laws that the tests of every
/// implementation of the seam extend.
@NullMarked
package moxin.model;

import org.jspecify.annotations.NullMarked;
