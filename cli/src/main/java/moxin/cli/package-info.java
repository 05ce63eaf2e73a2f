/// The command `moxin`: the only place where all modules meet, and the only one that prints.
@NullMarked
package moxin.cli;

import org.jspecify.annotations.NullMarked;
