package moxin.infer.assembly;

import java.util.ArrayList;
import java.util.List;

/// Writes x86-64 machine code, one instruction per call.
///
/// Vector instructions are encoded with EVEX or, for processors without AVX-512, with VEX; the
/// width is that of the registers. Jumps go to [Label]s, bound before or after; the code may be
/// placed anywhere. An assembler is used by one thread.
public final class Assembler {

  private record Jump(int displacementAt, Label target) {}

  private final Encoder out;
  private final List<Jump> jumps = new ArrayList<>();

  private Assembler(Encoder.Encoding encoding) {
    this.out = new Encoder(encoding);
  }

  /// An assembler of EVEX instructions: 32 registers of up to 64 bytes, embedded broadcasts.
  public static Assembler evex() {
    return new Assembler(Encoder.Encoding.EVEX);
  }

  /// An assembler of VEX instructions: 16 registers of up to 32 bytes.
  public static Assembler vex() {
    return new Assembler(Encoder.Encoding.VEX);
  }

  /// Where the next instruction begins.
  public int position() {
    return out.size();
  }

  /// The code so far.
  ///
  /// @throws IllegalStateException if a jump's label is not bound
  public byte[] assemble() {
    for (Jump jump : jumps) {
      int target = jump.target().position();
      if (target == Label.UNBOUND) {
        throw new IllegalStateException("a jump goes to a label that is not bound");
      }
      out.patch32(jump.displacementAt(), target - (jump.displacementAt() + Integer.BYTES));
    }
    return out.bytes();
  }

  /// Fills with instructions of no effect up to a multiple of `bytes`.
  public void align(int bytes) {
    while (out.size() % bytes != 0) {
      out.put(0x90);
    }
  }

  // Control flow.

  /// Binds `label` to this place.
  public void bind(Label label) {
    label.bind(out.size());
  }

  /// Jumps if the last arithmetic result fulfils `condition`.
  public void jump(Condition condition, Label target) {
    out.put(0x0F);
    out.put(0x80 | condition.code());
    jumps.add(new Jump(out.size(), target));
    out.put32(0);
  }

  /// Jumps.
  public void jump(Label target) {
    out.put(0xE9);
    jumps.add(new Jump(out.size(), target));
    out.put32(0);
  }

  /// Returns to the caller.
  public void ret() {
    out.put(0xC3);
  }

  // General-purpose registers.

  /// `d = s`.
  public void mov(Gpr d, Gpr s) {
    out.general(true, s.number(), d, 0x89);
  }

  /// Loads 64 bits.
  public void mov(Gpr d, Memory s) {
    out.general(true, d.number(), s, 0x8B);
  }

  /// Stores 64 bits.
  public void mov(Memory d, Gpr s) {
    out.general(true, s.number(), d, 0x89);
  }

  /// The lower half becomes `value`, the upper 0.
  public void mov32(Gpr d, int value) {
    if (d.number() > 7) {
      out.put(0x41);
    }
    out.put(0xB8 | (d.number() & 7));
    out.put32(value);
  }

  /// `d = s` in the lower halves; the upper becomes 0.
  public void mov32(Gpr d, Gpr s) {
    out.general(false, s.number(), d, 0x89);
  }

  /// Loads 32 bits; the upper half becomes 0.
  public void mov32(Gpr d, Memory s) {
    out.general(false, d.number(), s, 0x8B);
  }

  /// Stores the lower 32 bits.
  public void mov32(Memory d, Gpr s) {
    out.general(false, s.number(), d, 0x89);
  }

  /// Loads 16 bits; the rest becomes 0.
  public void movzx16(Gpr d, Memory s) {
    out.general(false, d.number(), s, 0x0F, 0xB7);
  }

  /// Stores the lower 16 bits.
  public void mov16(Memory d, Gpr s) {
    out.put(0x66);
    out.general(false, s.number(), d, 0x89);
  }

  /// The address of `s`.
  public void lea(Gpr d, Memory s) {
    out.general(true, d.number(), s, 0x8D);
  }

  /// `d += s`.
  public void add(Gpr d, Gpr s) {
    out.general(true, s.number(), d, 0x01);
  }

  /// `d += value`.
  public void add(Gpr d, int value) {
    immediate(d, 0, value);
  }

  /// `d -= s`.
  public void sub(Gpr d, Gpr s) {
    out.general(true, s.number(), d, 0x29);
  }

  /// `d -= value`.
  public void sub(Gpr d, int value) {
    immediate(d, 5, value);
  }

  /// Compares as `a − b`.
  public void cmp(Gpr a, Gpr b) {
    out.general(true, b.number(), a, 0x39);
  }

  /// Compares as `a − value`.
  public void cmp(Gpr a, int value) {
    immediate(a, 7, value);
  }

  private void immediate(Gpr d, int operation, int value) {
    boolean isByte = (byte) value == value;
    out.general(true, operation, d, isByte ? 0x83 : 0x81);
    if (isByte) {
      out.put(value);
    } else {
      out.put32(value);
    }
  }

  /// `d &= value`, the sign extended.
  public void and(Gpr d, int value) {
    immediate(d, 4, value);
  }

  /// `d -= 1`.
  public void dec(Gpr d) {
    out.general(true, 1, d, 0xFF);
  }

  /// `a & b`, for the condition alone.
  public void test(Gpr a, Gpr b) {
    out.general(true, b.number(), a, 0x85);
  }

  /// Saves a register on the stack.
  public void push(Gpr s) {
    if (s.number() > 7) {
      out.put(0x41);
    }
    out.put(0x50 | (s.number() & 7));
  }

  /// Restores a register from the stack.
  public void pop(Gpr d) {
    if (d.number() > 7) {
      out.put(0x41);
    }
    out.put(0x58 | (d.number() & 7));
  }

  /// Asks the processor about itself: leaf in eax, subleaf in ecx; answers in eax, ebx, ecx, edx.
  public void cpuid() {
    out.put(0x0F);
    out.put(0xA2);
  }

  /// The extended control register ecx into edx:eax.
  public void xgetbv() {
    out.put(0x0F);
    out.put(0x01);
    out.put(0xD0);
  }

  /// Fetches a cache line into all caches.
  public void prefetcht0(Memory s) {
    out.general(false, 1, s, 0x0F, 0x18);
  }

  /// Fetches a cache line that is used once.
  public void prefetchnta(Memory s) {
    out.general(false, 0, s, 0x0F, 0x18);
  }

  // Vector moves.

  /// Clears what lies beyond the lower 128 bits of the registers 0 to 15, as the caller expects.
  public void vzeroupper() {
    out.put(0xC5);
    out.put(0xF8);
    out.put(0x77);
  }

  /// Loads a vector of floats.
  public void vmovups(VectorRegister d, Memory s) {
    out.vector(Form.VMOVUPS_LOAD, d.byteSize(), d.number(), 0, s);
  }

  /// Stores a vector of floats.
  public void vmovups(Memory d, VectorRegister s) {
    out.vector(Form.VMOVUPS_STORE, s.byteSize(), s.number(), 0, d);
  }

  /// Loads a vector of integers.
  public void vmovdqu32(VectorRegister d, Memory s) {
    out.vector(Form.VMOVDQU32_LOAD, d.byteSize(), d.number(), 0, s);
  }

  /// Stores a vector of integers.
  public void vmovdqu32(Memory d, VectorRegister s) {
    out.vector(Form.VMOVDQU32_STORE, s.byteSize(), s.number(), 0, d);
  }

  /// The lower 32 bits of `s`; the rest becomes 0.
  public void vmovd(Xmm d, Gpr s) {
    out.vectorFromGpr(Form.VMOVD_GPR, d.byteSize(), d.number(), s);
  }

  /// Stores the lowest 32 bits.
  public void vmovd(Memory d, Xmm s) {
    out.vector(Form.VMOVD_STORE, s.byteSize(), s.number(), 0, d);
  }

  /// Repeats the lower 32 bits of `s` in all lanes (EVEX only).
  public void vpbroadcastd(VectorRegister d, Gpr s) {
    out.vectorFromGpr(Form.VPBROADCASTD_GPR, d.byteSize(), d.number(), s);
  }

  /// Converts signed 32-bit integers to fp32.
  public void vcvtdq2ps(VectorRegister d, Operand s) {
    out.vector(Form.VCVTDQ2PS, d.byteSize(), d.number(), 0, s);
  }

  /// Rounds fp32 to signed 32-bit integers, ties to even.
  public void vcvtps2dq(VectorRegister d, Operand s) {
    out.vector(Form.VCVTPS2DQ, d.byteSize(), d.number(), 0, s);
  }

  /// Widens f16 in half as many bytes to fp32.
  public void vcvtph2ps(VectorRegister d, Operand s) {
    out.vector(Form.VCVTPH2PS, d.byteSize(), d.number(), 0, s);
  }

  /// Widens signed bytes to 32 bits.
  public void vpmovsxbd(VectorRegister d, Operand s) {
    out.vector(Form.VPMOVSXBD, d.byteSize(), d.number(), 0, s);
  }

  /// Repeats one fp32 in all lanes.
  public void vbroadcastss(VectorRegister d, Operand s) {
    out.vector(Form.VBROADCASTSS, d.byteSize(), d.number(), 0, s);
  }

  /// Repeats 32 bits in all lanes.
  public void vpbroadcastd(VectorRegister d, Operand s) {
    out.vector(Form.VPBROADCASTD, d.byteSize(), d.number(), 0, s);
  }

  /// Rounds fp32 to bf16, ties to even; subnormal numbers become 0.
  public void vcvtneps2bf16(VectorRegister d, VectorRegister s) {
    out.vector(Form.VCVTNEPS2BF16, s.byteSize(), d.number(), 0, s);
  }

  /// Stores signed 32-bit lanes as bytes, saturated (EVEX only).
  public void vpmovsdb(Memory d, VectorRegister s) {
    out.vector(Form.VPMOVSDB, s.byteSize(), s.number(), 0, d);
  }

  /// The lower halves of 32-bit lanes (EVEX only).
  public void vpmovdw(VectorRegister d, VectorRegister s) {
    out.vector(Form.VPMOVDW, s.byteSize(), s.number(), 0, d);
  }

  /// Chooses 32-bit lanes within each 128 bits.
  public void vpshufd(VectorRegister d, Operand s, int immediate) {
    out.vector(Form.VPSHUFD, d.byteSize(), d.number(), 0, s);
    out.put(immediate);
  }

  /// Chooses the 64-bit quarters of a vector of 32 bytes.
  public void vpermq(Ymm d, Operand s, int immediate) {
    out.vector(Form.VPERMQ, d.byteSize(), d.number(), 0, s);
    out.put(immediate);
  }

  /// The 128-bit lane `immediate` of `s`; with VEX, vextracti128.
  public void vextracti32x4(Xmm d, VectorRegister s, int immediate) {
    out.vector(Form.VEXTRACTI32X4, s.byteSize(), s.number(), 0, d);
    out.put(immediate);
  }

  /// Magnitudes of signed bytes; that of −128 is 128, unsigned.
  public void vpabsb(VectorRegister d, Operand s) {
    out.vector(Form.VPABSB, d.byteSize(), d.number(), 0, s);
  }

  // Arithmetic.

  /// Adds to each 32-bit lane of `d` the sum of four products of unsigned bytes of `a` and signed
  /// bytes of `b`.
  public void vpdpbusd(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VPDPBUSD, d, a, b);
  }

  /// Each 16-bit lane becomes the sum of two products of unsigned bytes of `a` and signed bytes of
  /// `b`, saturated.
  public void vpmaddubsw(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VPMADDUBSW, d, a, b);
  }

  /// Each 32-bit lane becomes the sum of two products of signed 16-bit lanes.
  public void vpmaddwd(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VPMADDWD, d, a, b);
  }

  /// `d = a + b` in 16-bit lanes.
  public void vpaddw(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VPADDW, d, a, b);
  }

  /// Bytes of `a`, negated where those of `b` are negative and 0 where they are 0 (VEX only).
  public void vpsignb(VectorRegister d, VectorRegister a, Operand b) {
    if (out.encoding() == Encoder.Encoding.EVEX) {
      throw new IllegalArgumentException("EVEX has no vpsignb");
    }
    three(Form.VPSIGNB, d, a, b);
  }

  /// Adds to each fp32 lane of `d` two products of bf16 pairs of `a` and `b`.
  public void vdpbf16ps(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VDPBF16PS, d, a, b);
  }

  /// `d = a · b` in fp32.
  public void vmulps(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VMULPS, d, a, b);
  }

  /// `d = a / b` in fp32.
  public void vdivps(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VDIVPS, d, a, b);
  }

  /// `d = fma(a, d, b)` in fp32.
  public void vfmadd213ps(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VFMADD213PS, d, a, b);
  }

  /// `d = fma(a, b, d)` in fp32.
  public void vfmadd231ps(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VFMADD231PS, d, a, b);
  }

  /// `d = fma(−a, b, d)` in fp32.
  public void vfnmadd231ps(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VFNMADD231PS, d, a, b);
  }

  /// `d = a & b`.
  public void vpandd(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VPANDD, d, a, b);
  }

  /// `d = a | b`.
  public void vpord(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VPORD, d, a, b);
  }

  /// `d = a ^ b`.
  public void vpxord(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VPXORD, d, a, b);
  }

  /// `d = a + b` in 32-bit lanes.
  public void vpaddd(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VPADDD, d, a, b);
  }

  /// `d = a − b` in 32-bit lanes.
  public void vpsubd(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VPSUBD, d, a, b);
  }

  /// The larger of unsigned 32-bit lanes.
  public void vpmaxud(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VPMAXUD, d, a, b);
  }

  /// Within each 128 bits, the 32-bit lanes of `a`, then of `b`, as signed 16 bits, saturated.
  public void vpackssdw(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VPACKSSDW, d, a, b);
  }

  /// The same as unsigned 16 bits.
  public void vpackusdw(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VPACKUSDW, d, a, b);
  }

  /// Within each 128 bits, the 16-bit lanes of `a`, then of `b`, as signed bytes, saturated.
  public void vpacksswb(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VPACKSSWB, d, a, b);
  }

  /// Interleaves the lower two 32-bit lanes of each 128 bits.
  public void vpunpckldq(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VPUNPCKLDQ, d, a, b);
  }

  /// Interleaves the upper two 32-bit lanes of each 128 bits.
  public void vpunpckhdq(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VPUNPCKHDQ, d, a, b);
  }

  /// Interleaves the lower 64-bit lanes of each 128 bits.
  public void vpunpcklqdq(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VPUNPCKLQDQ, d, a, b);
  }

  /// Interleaves the upper 64-bit lanes of each 128 bits.
  public void vpunpckhqdq(VectorRegister d, VectorRegister a, Operand b) {
    three(Form.VPUNPCKHQDQ, d, a, b);
  }

  /// Each bit of `d` becomes the bit of `immediate` that the bits of d, a and b choose.
  public void vpternlogd(VectorRegister d, VectorRegister a, Operand b, int immediate) {
    three(Form.VPTERNLOGD, d, a, b);
    out.put(immediate);
  }

  /// Chooses 128-bit lanes, the lower half from `a`, the upper from `b`.
  public void vshufi32x4(VectorRegister d, VectorRegister a, Operand b, int immediate) {
    three(Form.VSHUFI32X4, d, a, b);
    out.put(immediate);
  }

  /// `d = a` with the 128-bit lane `immediate` replaced by `b`; with VEX, vinserti128.
  public void vinserti32x4(VectorRegister d, VectorRegister a, Operand b, int immediate) {
    three(Form.VINSERTI32X4, d, a, b);
    out.put(immediate);
  }

  /// Shifts 16-bit lanes right, filling with zeros.
  public void vpsrlw(VectorRegister d, Operand s, int bits) {
    shift(Form.VPSRLW, 2, d, s, bits);
  }

  /// Shifts 16-bit lanes left.
  public void vpsllw(VectorRegister d, Operand s, int bits) {
    shift(Form.VPSLLW, 6, d, s, bits);
  }

  /// Shifts 32-bit lanes right, filling with zeros.
  public void vpsrld(VectorRegister d, Operand s, int bits) {
    shift(Form.VPSRLD, 2, d, s, bits);
  }

  /// Shifts 32-bit lanes left.
  public void vpslld(VectorRegister d, Operand s, int bits) {
    shift(Form.VPSLLD, 6, d, s, bits);
  }

  /// Shifts 32-bit lanes right, filling with the sign.
  public void vpsrad(VectorRegister d, Operand s, int bits) {
    shift(Form.VPSRAD, 4, d, s, bits);
  }

  private void three(Form form, VectorRegister d, VectorRegister a, Operand b) {
    out.vector(form, d.byteSize(), d.number(), a.number(), b);
  }

  private void shift(Form form, int operation, VectorRegister d, Operand s, int bits) {
    if (out.encoding() == Encoder.Encoding.VEX && s instanceof Memory) {
      throw new IllegalArgumentException("VEX shifts registers alone");
    }
    out.vector(form, d.byteSize(), operation, d.number(), s);
    out.put(bits);
  }
}
