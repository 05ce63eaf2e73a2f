package moxin.infer.assembly;

/// Vector registers of 512 bits, in the order of their numbers.
public enum Zmm implements VectorRegister {
  ZMM0,
  ZMM1,
  ZMM2,
  ZMM3,
  ZMM4,
  ZMM5,
  ZMM6,
  ZMM7,
  ZMM8,
  ZMM9,
  ZMM10,
  ZMM11,
  ZMM12,
  ZMM13,
  ZMM14,
  ZMM15,
  ZMM16,
  ZMM17,
  ZMM18,
  ZMM19,
  ZMM20,
  ZMM21,
  ZMM22,
  ZMM23,
  ZMM24,
  ZMM25,
  ZMM26,
  ZMM27,
  ZMM28,
  ZMM29,
  ZMM30,
  ZMM31;

  private static final Zmm[] ALL = values();

  /// The register with this number.
  public static Zmm of(int number) {
    return ALL[number];
  }

  @Override
  public int number() {
    return ordinal();
  }

  @Override
  public int byteSize() {
    return 64;
  }
}
