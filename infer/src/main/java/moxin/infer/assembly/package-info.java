/// Matrix products in machine code that this package writes itself: no compiler, no native library.
///
/// Begin with [moxin.infer.assembly.AssembledKernels]. [moxin.infer.assembly.Assembler] encodes
/// instructions, the classes named `*Kernel` use it to write one loop each, a
/// [moxin.infer.assembly.BlockCode] says how the weights of one format come into registers, and
/// [moxin.infer.assembly.KernelLibrary] puts everything into
/// [moxin.infer.assembly.ExecutableMemory]; `Ymm*` do so with AVX2 for processors without AVX-512,
/// see [moxin.infer.assembly.CodeLevel]. Letters as in [moxin.infer.kernel]: K the inner dimension,
/// T tokens. This package knows no model, no files and no threads.
@NullMarked
package moxin.infer.assembly;

import org.jspecify.annotations.NullMarked;
