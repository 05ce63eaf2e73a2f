/// Tests of SentencePiece models.
@NullMarked
package moxin.text.sentencepiece;

import org.jspecify.annotations.NullMarked;
