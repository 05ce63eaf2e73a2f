package moxin.infer.assembly;

/// What the last operand of a vector instruction may be.
public sealed interface Operand permits VectorRegister, Memory {}
