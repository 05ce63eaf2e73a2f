/// Tests of machine code against plain Java and against an independent disassembler.
@NullMarked
package moxin.infer.assembly;

import org.jspecify.annotations.NullMarked;
