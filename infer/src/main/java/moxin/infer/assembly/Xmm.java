package moxin.infer.assembly;

/// Vector registers of 128 bits, in the order of their numbers.
public enum Xmm implements VectorRegister {
  XMM0,
  XMM1,
  XMM2,
  XMM3,
  XMM4,
  XMM5,
  XMM6,
  XMM7,
  XMM8,
  XMM9,
  XMM10,
  XMM11,
  XMM12,
  XMM13,
  XMM14,
  XMM15,
  XMM16,
  XMM17,
  XMM18,
  XMM19,
  XMM20,
  XMM21,
  XMM22,
  XMM23,
  XMM24,
  XMM25,
  XMM26,
  XMM27,
  XMM28,
  XMM29,
  XMM30,
  XMM31;

  private static final Xmm[] ALL = values();

  /// The register with this number.
  public static Xmm of(int number) {
    return ALL[number];
  }

  @Override
  public int number() {
    return ordinal();
  }

  @Override
  public int byteSize() {
    return 16;
  }
}
