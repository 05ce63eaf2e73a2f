/// GGUF, the file format of ggml and llama.cpp: a header of typed key-value pairs, a table of
/// tensors, their data.
///
/// Begin with [moxin.text.gguf.GgufHeader]. This package knows the container and the tokenizer in
/// it; what the tensors are is the business of module `model`, which reads and writes them through
/// this header.
///
/// Specification: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, versions 2 and 3.
@NullMarked
package moxin.text.gguf;

import org.jspecify.annotations.NullMarked;
