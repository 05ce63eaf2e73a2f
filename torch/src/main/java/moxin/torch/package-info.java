/// The only door to libtorch: its stable C ABI through the Foreign Function & Memory API.
///
/// Begin with [moxin.torch.LibTorch#load], which finds and loads the libraries once per process. A
/// [moxin.torch.Tensor] owns one native handle; a [moxin.torch.Scope] closes those of a block of
/// code; [moxin.torch.Aten] has the operators. Nothing outside this module knows a native symbol of
/// libtorch, and nothing in it knows models or training.
@NullMarked
package moxin.torch;

import org.jspecify.annotations.NullMarked;
