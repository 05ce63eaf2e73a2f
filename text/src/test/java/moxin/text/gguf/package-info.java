/// Tests of the GGUF container and of the vocabulary in it.
@NullMarked
package moxin.text.gguf;

import org.jspecify.annotations.NullMarked;
