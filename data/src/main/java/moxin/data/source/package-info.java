/// Takes Java source files apart: licence header, code, Javadoc, declarations, and from these the
/// questions of the capability source.
///
/// Begin with [moxin.data.source.JavaSource]. It is a scanner, not a compiler: any text gives some
/// result and none an error. This package knows nothing about where files come from.
@NullMarked
package moxin.data.source;

import org.jspecify.annotations.NullMarked;
