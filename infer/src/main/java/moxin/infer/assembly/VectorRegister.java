package moxin.infer.assembly;

/// A vector register in one of its three widths.
public sealed interface VectorRegister extends Operand permits Xmm, Ymm, Zmm {

  /// 0 to 31; beyond 15 only with EVEX.
  int number();

  /// 16, 32 or 64.
  int byteSize();
}
