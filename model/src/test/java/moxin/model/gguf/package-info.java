/// Tests of models in GGUF files.
@NullMarked
package moxin.model.gguf;

import org.jspecify.annotations.NullMarked;
