package moxin.infer.assembly;

/// The vector instructions that [Assembler] knows, with the fields of their encoding: mandatory
/// prefix, opcode map, W, opcode byte, and how EVEX scales a displacement of one byte.
///
/// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2. Where VEX has
/// the instruction too, its fields are the same.
enum Form {
  VMOVUPS_LOAD(Form.NONE, Form.M0F, 0, 0x10, Tuple.VECTOR),
  VMOVUPS_STORE(Form.NONE, Form.M0F, 0, 0x11, Tuple.VECTOR),
  VMOVDQU32_LOAD(Form.F3, Form.M0F, 0, 0x6F, Tuple.VECTOR),
  VMOVDQU32_STORE(Form.F3, Form.M0F, 0, 0x7F, Tuple.VECTOR),
  VMOVD_GPR(Form.X66, Form.M0F, 0, 0x6E, Tuple.SCALAR),
  VMOVD_STORE(Form.X66, Form.M0F, 0, 0x7E, Tuple.SCALAR),
  VPBROADCASTD(Form.X66, Form.M0F38, 0, 0x58, Tuple.SCALAR),
  VPBROADCASTD_GPR(Form.X66, Form.M0F38, 0, 0x7C, Tuple.SCALAR),
  VBROADCASTSS(Form.X66, Form.M0F38, 0, 0x18, Tuple.SCALAR),

  VPDPBUSD(Form.X66, Form.M0F38, 0, 0x50, Tuple.FULL),
  VPMADDUBSW(Form.X66, Form.M0F38, 0, 0x04, Tuple.VECTOR),
  VPMADDWD(Form.X66, Form.M0F, 0, 0xF5, Tuple.VECTOR),
  VPADDW(Form.X66, Form.M0F, 0, 0xFD, Tuple.VECTOR),
  VPSIGNB(Form.X66, Form.M0F38, 0, 0x08, Tuple.VECTOR),
  VPABSB(Form.X66, Form.M0F38, 0, 0x1C, Tuple.VECTOR),
  VDPBF16PS(Form.F3, Form.M0F38, 0, 0x52, Tuple.FULL),
  VMULPS(Form.NONE, Form.M0F, 0, 0x59, Tuple.FULL),
  VDIVPS(Form.NONE, Form.M0F, 0, 0x5E, Tuple.FULL),
  VFMADD213PS(Form.X66, Form.M0F38, 0, 0xA8, Tuple.FULL),
  VFMADD231PS(Form.X66, Form.M0F38, 0, 0xB8, Tuple.FULL),
  VFNMADD231PS(Form.X66, Form.M0F38, 0, 0xBC, Tuple.FULL),

  VPANDD(Form.X66, Form.M0F, 0, 0xDB, Tuple.FULL),
  VPORD(Form.X66, Form.M0F, 0, 0xEB, Tuple.FULL),
  VPXORD(Form.X66, Form.M0F, 0, 0xEF, Tuple.FULL),
  VPADDD(Form.X66, Form.M0F, 0, 0xFE, Tuple.FULL),
  VPSUBD(Form.X66, Form.M0F, 0, 0xFA, Tuple.FULL),
  VPMAXUD(Form.X66, Form.M0F38, 0, 0x3F, Tuple.FULL),
  VPTERNLOGD(Form.X66, Form.M0F3A, 0, 0x25, Tuple.FULL),

  VPSRLW(Form.X66, Form.M0F, 0, 0x71, Tuple.VECTOR),
  VPSLLW(Form.X66, Form.M0F, 0, 0x71, Tuple.VECTOR),
  VPSRLD(Form.X66, Form.M0F, 0, 0x72, Tuple.FULL),
  VPSLLD(Form.X66, Form.M0F, 0, 0x72, Tuple.FULL),
  VPSRAD(Form.X66, Form.M0F, 0, 0x72, Tuple.FULL),

  VCVTDQ2PS(Form.NONE, Form.M0F, 0, 0x5B, Tuple.FULL),
  VCVTPS2DQ(Form.X66, Form.M0F, 0, 0x5B, Tuple.FULL),
  VCVTPH2PS(Form.X66, Form.M0F38, 0, 0x13, Tuple.HALF),
  VCVTNEPS2BF16(Form.F3, Form.M0F38, 0, 0x72, Tuple.FULL),
  VPMOVSXBD(Form.X66, Form.M0F38, 0, 0x21, Tuple.QUARTER),
  VPMOVSDB(Form.F3, Form.M0F38, 0, 0x21, Tuple.QUARTER),
  VPMOVDW(Form.F3, Form.M0F38, 0, 0x33, Tuple.HALF),

  VPSHUFD(Form.X66, Form.M0F, 0, 0x70, Tuple.FULL),
  VSHUFI32X4(Form.X66, Form.M0F3A, 0, 0x43, Tuple.FULL),
  VINSERTI32X4(Form.X66, Form.M0F3A, 0, 0x38, Tuple.LANE),
  VEXTRACTI32X4(Form.X66, Form.M0F3A, 0, 0x39, Tuple.LANE),
  VPERMQ(Form.X66, Form.M0F3A, 1, 0x00, Tuple.FULL),
  VPACKSSDW(Form.X66, Form.M0F, 0, 0x6B, Tuple.FULL),
  VPACKUSDW(Form.X66, Form.M0F38, 0, 0x2B, Tuple.FULL),
  VPACKSSWB(Form.X66, Form.M0F, 0, 0x63, Tuple.VECTOR),
  VPUNPCKLDQ(Form.X66, Form.M0F, 0, 0x62, Tuple.FULL),
  VPUNPCKHDQ(Form.X66, Form.M0F, 0, 0x6A, Tuple.FULL),
  VPUNPCKLQDQ(Form.X66, Form.M0F, 1, 0x6C, Tuple.FULL),
  VPUNPCKHQDQ(Form.X66, Form.M0F, 1, 0x6D, Tuple.FULL);

  /// What EVEX multiplies a displacement of one byte with.
  enum Tuple {
    /// The vector, or the element where it is broadcast.
    FULL,
    VECTOR,
    HALF,
    QUARTER,
    /// 4 bytes.
    SCALAR,
    /// 16 bytes.
    LANE
  }

  static final int NONE = 0;
  static final int X66 = 1;
  static final int F3 = 2;
  static final int M0F = 1;
  static final int M0F38 = 2;
  static final int M0F3A = 3;

  private final int prefix;
  private final int map;
  private final int wide;
  private final int opcode;
  private final Tuple tuple;

  Form(int prefix, int map, int wide, int opcode, Tuple tuple) {
    this.prefix = prefix;
    this.map = map;
    this.wide = wide;
    this.opcode = opcode;
    this.tuple = tuple;
  }

  int prefix() {
    return prefix;
  }

  int map() {
    return map;
  }

  int wide() {
    return wide;
  }

  int opcode() {
    return opcode;
  }

  /// The unit in bytes of a displacement of one byte.
  int displacementUnit(int vectorBytes, boolean isBroadcast) {
    return switch (tuple) {
      case FULL -> isBroadcast ? Float.BYTES : vectorBytes;
      case VECTOR -> vectorBytes;
      case HALF -> vectorBytes / 2;
      case QUARTER -> vectorBytes / 4;
      case SCALAR -> Float.BYTES;
      case LANE -> 16;
    };
  }
}
