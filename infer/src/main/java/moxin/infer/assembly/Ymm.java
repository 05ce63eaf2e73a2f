package moxin.infer.assembly;

/// Vector registers of 256 bits, in the order of their numbers.
public enum Ymm implements VectorRegister {
  YMM0(0),
  YMM1(1),
  YMM2(2),
  YMM3(3),
  YMM4(4),
  YMM5(5),
  YMM6(6),
  YMM7(7),
  YMM8(8),
  YMM9(9),
  YMM10(10),
  YMM11(11),
  YMM12(12),
  YMM13(13),
  YMM14(14),
  YMM15(15),
  YMM16(16),
  YMM17(17),
  YMM18(18),
  YMM19(19),
  YMM20(20),
  YMM21(21),
  YMM22(22),
  YMM23(23),
  YMM24(24),
  YMM25(25),
  YMM26(26),
  YMM27(27),
  YMM28(28),
  YMM29(29),
  YMM30(30),
  YMM31(31);

  private static final Ymm[] ALL = values();

  private final int number;

  Ymm(int number) {
    this.number = number;
  }

  /// The register with this number.
  public static Ymm of(int number) {
    return ALL[number];
  }

  @Override
  public int number() {
    return number;
  }

  @Override
  public int byteSize() {
    return 32;
  }
}
