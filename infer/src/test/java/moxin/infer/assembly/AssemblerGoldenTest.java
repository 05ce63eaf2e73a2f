package moxin.infer.assembly;

import static moxin.infer.assembly.Memory.at;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Every instruction form reads as intended in an independent disassembler.
class AssemblerGoldenTest {
  @TempDir private Path directory;

  private record Golden(String text, Consumer<Assembler> instruction) {}

  @BeforeEach
  void needsTheDisassembler() {
    assumeTrue(Disassembly.obstacle().isEmpty(), Disassembly.obstacle().orElse(""));
  }

  private void check(Assembler asm, List<Golden> goldens) {
    List<String> expected = new ArrayList<>();
    for (Golden golden : goldens) {
      golden.instruction().accept(asm);
      expected.add(golden.text());
    }
    assertThat(Disassembly.of(asm.assemble(), directory)).isEqualTo(expected);
  }

  @Test
  void generalPurposeInstructionsDisassemble() {
    check(
        Assembler.evex(),
        List.of(
            new Golden("mov rax,r15", a -> a.mov(Gpr.RAX, Gpr.R15)),
            new Golden("mov r9,QWORD PTR [rsp+0x10]", a -> a.mov(Gpr.R9, at(Gpr.RSP, 16))),
            new Golden("mov QWORD PTR [r12],rdx", a -> a.mov(at(Gpr.R12, 0), Gpr.RDX)),
            new Golden("mov QWORD PTR [r13+0x0],rdx", a -> a.mov(at(Gpr.R13, 0), Gpr.RDX)),
            new Golden("mov eax,0x12345678", a -> a.mov32(Gpr.RAX, 0x12345678)),
            new Golden("mov r10d,0xffffffff", a -> a.mov32(Gpr.R10, -1)),
            new Golden("mov eax,edi", a -> a.mov32(Gpr.RAX, Gpr.RDI)),
            new Golden("mov r10d,DWORD PTR [rsp-0x20]", a -> a.mov32(Gpr.R10, at(Gpr.RSP, -32))),
            new Golden("mov DWORD PTR [rsi],r10d", a -> a.mov32(at(Gpr.RSI, 0), Gpr.R10)),
            new Golden(
                "movzx r10d,WORD PTR [rax+r8*1+0xd0]",
                a -> a.movzx16(Gpr.R10, at(Gpr.RAX, Gpr.R8, 1, 208))),
            new Golden("mov WORD PTR [rsi+0x2],r10w", a -> a.mov16(at(Gpr.RSI, 2), Gpr.R10)),
            new Golden(
                "lea rdi,[r8+rdx*8-0x80]", a -> a.lea(Gpr.RDI, at(Gpr.R8, Gpr.RDX, 8, -128))),
            new Golden("add r8,rcx", a -> a.add(Gpr.R8, Gpr.RCX)),
            new Golden("add rdi,0x7f", a -> a.add(Gpr.RDI, 127)),
            new Golden("add rdi,0x80", a -> a.add(Gpr.RDI, 128)),
            new Golden("sub r11,rax", a -> a.sub(Gpr.R11, Gpr.RAX)),
            new Golden("sub rsp,0x1000", a -> a.sub(Gpr.RSP, 4096)),
            new Golden("cmp rax,r9", a -> a.cmp(Gpr.RAX, Gpr.R9)),
            new Golden("cmp rcx,0x0", a -> a.cmp(Gpr.RCX, 0)),
            new Golden("dec r11", a -> a.dec(Gpr.R11)),
            new Golden("test r10,r10", a -> a.test(Gpr.R10, Gpr.R10)),
            new Golden("push rbx", a -> a.push(Gpr.RBX)),
            new Golden("push r12", a -> a.push(Gpr.R12)),
            new Golden("pop r12", a -> a.pop(Gpr.R12)),
            new Golden("pop rbx", a -> a.pop(Gpr.RBX)),
            new Golden("cpuid", Assembler::cpuid),
            new Golden("xgetbv", Assembler::xgetbv),
            new Golden("prefetcht0 BYTE PTR [rdi+0x800]", a -> a.prefetcht0(at(Gpr.RDI, 2048))),
            new Golden("prefetchnta BYTE PTR [r9]", a -> a.prefetchnta(at(Gpr.R9, 0))),
            new Golden("vzeroupper", Assembler::vzeroupper),
            new Golden("ret", Assembler::ret)));
  }

  @Test
  void jumpsReachLabelsBeforeAndBehind() {
    Assembler asm = Assembler.evex();
    Label before = new Label();
    Label behind = new Label();
    asm.bind(before);
    asm.jump(Condition.ZERO, behind);
    asm.jump(Condition.NOT_ZERO, before);
    asm.jump(Condition.BELOW, before);
    asm.jump(Condition.ABOVE, behind);
    asm.jump(behind);
    asm.align(32);
    asm.bind(behind);
    asm.ret();
    assertThat(Disassembly.of(asm.assemble(), directory))
        .startsWith("je 0x20", "jne 0x0", "jb 0x0", "ja 0x20", "jmp 0x20")
        .endsWith("nop", "ret");
  }

  @Test
  void evexInstructionsDisassemble() {
    List<Golden> goldens = new ArrayList<>(moves());
    goldens.addAll(arithmetic());
    goldens.addAll(shuffles());
    check(Assembler.evex(), goldens);
  }

  private static List<Golden> moves() {
    return List.of(
        new Golden(
            "vmovups zmm31,ZMMWORD PTR [rax+0x40]", a -> a.vmovups(Zmm.ZMM31, at(Gpr.RAX, 64))),
        new Golden("vmovups ZMMWORD PTR [r13+0x0],zmm8", a -> a.vmovups(at(Gpr.R13, 0), Zmm.ZMM8)),
        new Golden(
            "vmovdqu32 zmm24,ZMMWORD PTR [rdi-0x2000]",
            a -> a.vmovdqu32(Zmm.ZMM24, at(Gpr.RDI, -8192))),
        new Golden(
            "vmovdqu32 xmm3,XMMWORD PTR [rax+r8*1+0x12]",
            a -> a.vmovdqu32(Xmm.XMM3, at(Gpr.RAX, Gpr.R8, 1, 18))),
        new Golden(
            "vmovdqu32 YMMWORD PTR [rsp-0x20],ymm16",
            a -> a.vmovdqu32(at(Gpr.RSP, -32), Ymm.YMM16)),
        new Golden("vmovd DWORD PTR [rax+0x4],xmm17", a -> a.vmovd(at(Gpr.RAX, 4), Xmm.XMM17)),
        new Golden(
            "vpbroadcastd zmm5,DWORD PTR [r10+0x1fc]",
            a -> a.vpbroadcastd(Zmm.ZMM5, at(Gpr.R10, 508))),
        new Golden(
            "vpbroadcastd zmm5,DWORD PTR [r10+0x200]",
            a -> a.vpbroadcastd(Zmm.ZMM5, at(Gpr.R10, 512))),
        new Golden("vpbroadcastd zmm16,eax", a -> a.vpbroadcastd(Zmm.ZMM16, Gpr.RAX)),
        new Golden("vpbroadcastd ymm1,r9d", a -> a.vpbroadcastd(Ymm.YMM1, Gpr.R9)),
        new Golden(
            "vbroadcastss zmm26,DWORD PTR [r10]", a -> a.vbroadcastss(Zmm.ZMM26, at(Gpr.R10, 0))),
        new Golden(
            "vpmovsdb XMMWORD PTR [rsi+0x10],zmm1", a -> a.vpmovsdb(at(Gpr.RSI, 16), Zmm.ZMM1)),
        new Golden("vpmovdw ymm22,zmm23", a -> a.vpmovdw(Ymm.YMM22, Zmm.ZMM23)),
        new Golden(
            "vpmovsxbd zmm2,XMMWORD PTR [rdi+0x7f0]",
            a -> a.vpmovsxbd(Zmm.ZMM2, at(Gpr.RDI, 2032))),
        new Golden("vcvtdq2ps zmm0,zmm0", a -> a.vcvtdq2ps(Zmm.ZMM0, Zmm.ZMM0)),
        new Golden("vcvtps2dq zmm1,zmm31", a -> a.vcvtps2dq(Zmm.ZMM1, Zmm.ZMM31)),
        new Golden(
            "vcvtph2ps zmm20,YMMWORD PTR [rdi+0xfe0]",
            a -> a.vcvtph2ps(Zmm.ZMM20, at(Gpr.RDI, 4064))),
        new Golden("vcvtph2ps zmm22,ymm22", a -> a.vcvtph2ps(Zmm.ZMM22, Ymm.YMM22)),
        new Golden("vcvtneps2bf16 ymm9,zmm18", a -> a.vcvtneps2bf16(Ymm.YMM9, Zmm.ZMM18)));
  }

  private static List<Golden> arithmetic() {
    Zmm d = Zmm.ZMM9;
    Zmm s = Zmm.ZMM30;
    Memory m = at(Gpr.R10, 512);
    String memory = "ZMMWORD PTR [r10+0x200]";
    return List.of(
        new Golden("vpdpbusd zmm9,zmm30,zmm1", a -> a.vpdpbusd(d, s, Zmm.ZMM1)),
        new Golden("vpdpbusd zmm9,zmm30," + memory, a -> a.vpdpbusd(d, s, m)),
        new Golden(
            "vpdpbusd zmm9,zmm30,DWORD BCST [r10-0x4]",
            a -> a.vpdpbusd(d, s, at(Gpr.R10, -4).broadcast())),
        new Golden("vdpbf16ps zmm9,zmm30,zmm26", a -> a.vdpbf16ps(d, s, Zmm.ZMM26)),
        new Golden("vmulps zmm9,zmm30," + memory, a -> a.vmulps(d, s, m)),
        new Golden("vmulps zmm9,zmm30,DWORD BCST [r10+0x200]", a -> a.vmulps(d, s, m.broadcast())),
        new Golden("vdivps zmm9,zmm30,zmm2", a -> a.vdivps(d, s, Zmm.ZMM2)),
        new Golden("vfmadd231ps zmm9,zmm30,zmm31", a -> a.vfmadd231ps(d, s, Zmm.ZMM31)),
        new Golden(
            "vfnmadd231ps zmm9,zmm30,DWORD BCST [r10+0x200]",
            a -> a.vfnmadd231ps(d, s, m.broadcast())),
        new Golden("vpandd zmm9,zmm30," + memory, a -> a.vpandd(d, s, m)),
        new Golden("vpord zmm9,zmm30,zmm3", a -> a.vpord(d, s, Zmm.ZMM3)),
        new Golden("vpxord zmm9,zmm9,zmm9", a -> a.vpxord(d, d, d)),
        new Golden("vpaddd zmm9,zmm30,zmm3", a -> a.vpaddd(d, s, Zmm.ZMM3)),
        new Golden("vpsubd zmm9,zmm30,zmm3", a -> a.vpsubd(d, s, Zmm.ZMM3)),
        new Golden("vpmaxud zmm9,zmm30,zmm3", a -> a.vpmaxud(d, s, Zmm.ZMM3)),
        new Golden("vpternlogd zmm9,zmm30,zmm3,0xf8", a -> a.vpternlogd(d, s, Zmm.ZMM3, 0xF8)),
        new Golden("vpsrlw zmm9," + memory + ",0x4", a -> a.vpsrlw(d, m, 4)),
        new Golden("vpsllw zmm9,zmm30,0x2", a -> a.vpsllw(d, s, 2)),
        new Golden("vpsrld zmm9,zmm30,0x10", a -> a.vpsrld(d, s, 16)),
        new Golden("vpslld zmm9," + memory + ",0x18", a -> a.vpslld(d, m, 24)),
        new Golden("vpsrad zmm30,zmm30,0x1f", a -> a.vpsrad(s, s, 31)));
  }

  private static List<Golden> shuffles() {
    Zmm d = Zmm.ZMM9;
    Zmm s = Zmm.ZMM30;
    return List.of(
        new Golden("vpshufd zmm9,zmm30,0x4e", a -> a.vpshufd(d, s, 0x4E)),
        new Golden("vshufi32x4 zmm9,zmm30,zmm2,0xb1", a -> a.vshufi32x4(d, s, Zmm.ZMM2, 0xB1)),
        new Golden(
            "vinserti32x4 zmm9,zmm30,XMMWORD PTR [rax+r8*1+0x20],0x3",
            a -> a.vinserti32x4(d, s, at(Gpr.RAX, Gpr.R8, 1, 32), 3)),
        new Golden("vpunpckldq zmm9,zmm30,zmm2", a -> a.vpunpckldq(d, s, Zmm.ZMM2)),
        new Golden("vpunpckhdq zmm9,zmm30,zmm2", a -> a.vpunpckhdq(d, s, Zmm.ZMM2)),
        new Golden("vpunpcklqdq zmm9,zmm30,zmm2", a -> a.vpunpcklqdq(d, s, Zmm.ZMM2)),
        new Golden("vpunpckhqdq zmm9,zmm30,zmm2", a -> a.vpunpckhqdq(d, s, Zmm.ZMM2)));
  }

  @Test
  void vexInstructionsDisassemble() {
    Ymm d = Ymm.YMM9;
    Ymm s = Ymm.YMM15;
    check(
        Assembler.vex(),
        List.of(
            new Golden("vmovups ymm9,YMMWORD PTR [r13+0x0]", a -> a.vmovups(d, at(Gpr.R13, 0))),
            new Golden("vmovups YMMWORD PTR [rsp+0x20],ymm9", a -> a.vmovups(at(Gpr.RSP, 32), d)),
            new Golden(
                "vpbroadcastd ymm9,DWORD PTR [r10+0x84]",
                a -> a.vpbroadcastd(d, at(Gpr.R10, 0x84))),
            new Golden("{vex} vpdpbusd ymm9,ymm15,ymm2", a -> a.vpdpbusd(d, s, Ymm.YMM2)),
            new Golden("vcvtdq2ps ymm9,ymm15", a -> a.vcvtdq2ps(d, s)),
            new Golden(
                "vcvtph2ps ymm9,XMMWORD PTR [rdi+0x10]", a -> a.vcvtph2ps(d, at(Gpr.RDI, 16))),
            new Golden("vmulps ymm9,ymm15,ymm2", a -> a.vmulps(d, s, Ymm.YMM2)),
            new Golden("vfmadd231ps ymm9,ymm15,ymm2", a -> a.vfmadd231ps(d, s, Ymm.YMM2)),
            new Golden("vpand ymm9,ymm15,ymm2", a -> a.vpandd(d, s, Ymm.YMM2)),
            new Golden("vpxor ymm9,ymm15,ymm2", a -> a.vpxord(d, s, Ymm.YMM2)),
            new Golden("vpsrlw ymm9,ymm15,0x4", a -> a.vpsrlw(d, s, 4)),
            new Golden("vpunpckldq ymm9,ymm15,ymm2", a -> a.vpunpckldq(d, s, Ymm.YMM2)),
            new Golden("vpunpckhdq ymm9,ymm15,ymm2", a -> a.vpunpckhdq(d, s, Ymm.YMM2)),
            new Golden("vpunpcklqdq ymm9,ymm15,ymm2", a -> a.vpunpcklqdq(d, s, Ymm.YMM2)),
            new Golden("vpunpckhqdq ymm9,ymm15,ymm2", a -> a.vpunpckhqdq(d, s, Ymm.YMM2))));
  }

  @Test
  void vexMovesDisassemble() {
    Ymm d = Ymm.YMM9;
    Ymm s = Ymm.YMM15;
    Memory m = at(Gpr.R10, Gpr.R9, 2, 0x84);
    check(
        Assembler.vex(),
        List.of(
            new Golden("vmovdqu ymm9,YMMWORD PTR [r10+r9*2+0x84]", a -> a.vmovdqu32(d, m)),
            new Golden("vmovdqu YMMWORD PTR [r10+r9*2+0x84],ymm9", a -> a.vmovdqu32(m, d)),
            new Golden(
                "vmovdqu xmm3,XMMWORD PTR [rax+r8*1+0x12]",
                a -> a.vmovdqu32(Xmm.XMM3, at(Gpr.RAX, Gpr.R8, 1, 18))),
            new Golden("vmovd xmm9,eax", a -> a.vmovd(Xmm.XMM9, Gpr.RAX)),
            new Golden("vmovd xmm1,r10d", a -> a.vmovd(Xmm.XMM1, Gpr.R10)),
            new Golden("vmovd DWORD PTR [rax],xmm8", a -> a.vmovd(at(Gpr.RAX, 0), Xmm.XMM8)),
            new Golden("vpbroadcastd ymm9,xmm9", a -> a.vpbroadcastd(d, Xmm.XMM9)),
            new Golden("vbroadcastss ymm9,DWORD PTR [r10+r9*2+0x84]", a -> a.vbroadcastss(d, m)),
            new Golden("vcvtps2dq ymm9,ymm15", a -> a.vcvtps2dq(d, s)),
            new Golden("vcvtph2ps ymm9,xmm15", a -> a.vcvtph2ps(d, Xmm.XMM15)),
            new Golden("vpshufd ymm9,ymm15,0x4e", a -> a.vpshufd(d, s, 0x4E)),
            new Golden("vpermq ymm9,ymm15,0xd8", a -> a.vpermq(d, s, 0xD8)),
            new Golden("vextracti128 xmm1,ymm15,0x1", a -> a.vextracti32x4(Xmm.XMM1, s, 1)),
            new Golden(
                "vinserti128 ymm9,ymm15,XMMWORD PTR [rax+r8*1+0x20],0x1",
                a -> a.vinserti32x4(d, s, at(Gpr.RAX, Gpr.R8, 1, 32), 1)),
            new Golden("vpackssdw ymm9,ymm15,ymm2", a -> a.vpackssdw(d, s, Ymm.YMM2)),
            new Golden("vpackusdw ymm9,ymm15,ymm2", a -> a.vpackusdw(d, s, Ymm.YMM2)),
            new Golden("vpacksswb ymm9,ymm15,ymm2", a -> a.vpacksswb(d, s, Ymm.YMM2)),
            new Golden("and rsp,0xffffffffffffffc0", a -> a.and(Gpr.RSP, -64)),
            new Golden("and rax,0x1000", a -> a.and(Gpr.RAX, 4096))));
  }

  @Test
  void vexArithmeticDisassembles() {
    Ymm d = Ymm.YMM9;
    Ymm s = Ymm.YMM15;
    Memory m = at(Gpr.RSP, 0x380);
    String memory = "YMMWORD PTR [rsp+0x380]";
    check(
        Assembler.vex(),
        List.of(
            new Golden("vpmaddubsw ymm9,ymm15,ymm2", a -> a.vpmaddubsw(d, s, Ymm.YMM2)),
            new Golden("vpmaddwd ymm9,ymm15," + memory, a -> a.vpmaddwd(d, s, m)),
            new Golden("vpaddw ymm9,ymm15,ymm2", a -> a.vpaddw(d, s, Ymm.YMM2)),
            new Golden("vpsignb ymm9,ymm15,ymm2", a -> a.vpsignb(d, s, Ymm.YMM2)),
            new Golden("vpabsb ymm9,ymm15", a -> a.vpabsb(d, s)),
            new Golden("vpand ymm9,ymm15," + memory, a -> a.vpandd(d, s, m)),
            new Golden("vpor ymm9,ymm15,ymm2", a -> a.vpord(d, s, Ymm.YMM2)),
            new Golden("vpaddd ymm9,ymm15,ymm2", a -> a.vpaddd(d, s, Ymm.YMM2)),
            new Golden("vpsubd ymm9,ymm15,ymm2", a -> a.vpsubd(d, s, Ymm.YMM2)),
            new Golden("vpmaxud ymm9,ymm15,ymm2", a -> a.vpmaxud(d, s, Ymm.YMM2)),
            new Golden("vdivps ymm9,ymm15,ymm2", a -> a.vdivps(d, s, Ymm.YMM2)),
            new Golden("vfmadd213ps ymm9,ymm15," + memory, a -> a.vfmadd213ps(d, s, m)),
            new Golden("vfnmadd231ps ymm9,ymm15,ymm2", a -> a.vfnmadd231ps(d, s, Ymm.YMM2)),
            new Golden("vpsllw ymm9,ymm15,0x2", a -> a.vpsllw(d, s, 2)),
            new Golden("vpsrld ymm9,ymm15,0x10", a -> a.vpsrld(d, s, 16)),
            new Golden("vpslld ymm9,ymm15,0x10", a -> a.vpslld(d, s, 16)),
            new Golden("vpsrad ymm9,ymm9,0x1f", a -> a.vpsrad(d, d, 31))));
  }

  @Test
  void whatCannotBeEncodedIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Assembler.vex().vmulps(Zmm.ZMM1, Zmm.ZMM1, Zmm.ZMM1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Assembler.vex().vmulps(Ymm.YMM1, Ymm.YMM16, Ymm.YMM1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Assembler.vex().vmulps(Ymm.YMM1, Ymm.YMM1, at(Gpr.RAX, 0).broadcast()));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Assembler.vex().vpsrlw(Ymm.YMM1, at(Gpr.RAX, 0), 4));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Assembler.evex().vpsignb(Ymm.YMM1, Ymm.YMM1, Ymm.YMM2));
    assertThatIllegalArgumentException().isThrownBy(() -> at(Gpr.RAX, Gpr.RSP, 1, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> at(Gpr.RAX, Gpr.RCX, 3, 0));
    Assembler asm = Assembler.evex();
    asm.jump(new Label());
    assertThatIllegalStateException().isThrownBy(asm::assemble);
  }
}
