/// Reads what a recipe's sources name: the sources of a JDK, text, Markdown, code and JSON lines,
/// plain or compressed. (Parquet goes through Spark.)
///
/// Begin with [moxin.data.read.InputFiles], which lists what there is to read as units that can be
/// read independently, and [moxin.data.read.UnitReader], which reads one. What cannot be read is
/// counted with a reason and an example, never passed over in silence.
@NullMarked
package moxin.data.read;

import org.jspecify.annotations.NullMarked;
