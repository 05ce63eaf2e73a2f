/// Models in GGUF files: what llama.cpp calls the tensors, types and sizes of the llama
/// architecture, and what Hugging Face calls them.
///
/// Begin with [moxin.model.GgufCheckpoint], which reads. The container itself is
/// [moxin.text.gguf]'s; this package knows no tokenizer and no engine.
@NullMarked
package moxin.model.gguf;

import org.jspecify.annotations.NullMarked;
