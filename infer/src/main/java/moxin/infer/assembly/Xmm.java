package moxin.infer.assembly;

/// Vector registers of 128 bits, in the order of their numbers.
public enum Xmm implements VectorRegister {
  XMM0(0),
  XMM1(1),
  XMM2(2),
  XMM3(3),
  XMM4(4),
  XMM5(5),
  XMM6(6),
  XMM7(7),
  XMM8(8),
  XMM9(9),
  XMM10(10),
  XMM11(11),
  XMM12(12),
  XMM13(13),
  XMM14(14),
  XMM15(15),
  XMM16(16),
  XMM17(17),
  XMM18(18),
  XMM19(19),
  XMM20(20),
  XMM21(21),
  XMM22(22),
  XMM23(23),
  XMM24(24),
  XMM25(25),
  XMM26(26),
  XMM27(27),
  XMM28(28),
  XMM29(29),
  XMM30(30),
  XMM31(31);

  private static final Xmm[] ALL = values();

  private final int number;

  Xmm(int number) {
    this.number = number;
  }

  /// The register with this number.
  public static Xmm of(int number) {
    return ALL[number];
  }

  @Override
  public int number() {
    return number;
  }

  @Override
  public int byteSize() {
    return 16;
  }
}
