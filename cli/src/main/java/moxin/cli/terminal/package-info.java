/// How the command line shows itself: progress bars on a terminal, plain lines elsewhere, tables.
///
/// Begin with [moxin.cli.terminal.TerminalProgress]. Everything here writes to standard error; only
/// commands write to standard output.
@NullMarked
package moxin.cli.terminal;

import org.jspecify.annotations.NullMarked;
