/// Tests of the CPU engine: parity with reference numbers and with the scalar oracle, the laws of
/// [moxin.model.LanguageModel], sampling and generation.
@NullMarked
package moxin.infer;

import org.jspecify.annotations.NullMarked;
