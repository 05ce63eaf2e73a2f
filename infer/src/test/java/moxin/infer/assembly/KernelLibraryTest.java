package moxin.infer.assembly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// An independent disassembler reads every generated kernel as whole, and as the kernel it should
/// be.
class KernelLibraryTest {
  private static final Set<String> CALLEE_SAVED = Set.of("rbx", "rbp", "r12", "r13", "r14", "r15");

  @TempDir private Path directory;

  @BeforeEach
  void needsTheDisassembler() {
    assumeTrue(Disassembly.obstacle().isEmpty(), Disassembly.obstacle().orElse(""));
  }

  @Test
  void everyKernelDisassemblesWithItsDotProducts() {
    KernelLibrary.Code code = KernelLibrary.write();
    List<Map.Entry<String, Integer>> kernels = new ArrayList<>(code.offsets().entrySet());
    assertThat(kernels).hasSize(KernelLibrary.CODES.size() * (2 + 8 + 6) + 3 + 12);
    for (int i = 0; i < kernels.size(); i++) {
      String name = kernels.get(i).getKey();
      int end = i + 1 < kernels.size() ? kernels.get(i + 1).getValue() : code.bytes().length;
      byte[] bytes = Arrays.copyOfRange(code.bytes(), kernels.get(i).getValue(), end);
      List<String> lines = new ArrayList<>(Disassembly.of(bytes, directory));
      while (lines.getLast().equals("nop")) {
        lines.removeLast();
      }
      assertThat(lines).as(name).noneMatch(line -> line.contains("(bad)")).endsWith("ret");
      assertThat(lines).as(name).noneMatch(line -> CALLEE_SAVED.stream().anyMatch(line::contains));
      assertThat(count(lines, "vpdpbusd")).as(name).isEqualTo(integerDots(name));
      assertThat(count(lines, "vdpbf16ps")).as(name).isEqualTo(bf16Dots(name));
    }
  }

  /// All of them belong to the features that [AssembledKernels] asks for: AVX512F, BW, VNNI and
  /// BF16.
  @Test
  void kernelsUseTheseInstructionsAlone() {
    Set<String> mnemonics = new TreeSet<>();
    for (String line : Disassembly.of(KernelLibrary.write().bytes(), directory)) {
      mnemonics.add(line.replace("{evex} ", "").split(" ", 2)[0]);
    }
    assertThat(String.join(" ", mnemonics))
        .isEqualTo(
            """
            add dec je jmp jne lea mov movzx nop prefetcht0 ret test vbroadcastss vcvtdq2ps \
            vcvtneps2bf16 vcvtph2ps vcvtps2dq vdivps vdpbf16ps vfmadd231ps vfnmadd231ps \
            vinserti32x4 vmovd vmovdqu32 vmovups vmulps vpaddd vpandd vpbroadcastd vpdpbusd \
            vpmaxud vpmovdw vpmovsdb vpshufd vpslld vpsllw vpsrad vpsrld vpsrlw vpsubd \
            vpternlogd vpunpckhdq vpunpckhqdq vpunpckldq vpunpcklqdq vpxord vshufi32x4 \
            vzeroupper\
            """);
  }

  @ParameterizedTest
  @EnumSource
  void everyAvx2KernelDisassemblesWithItsDotProducts(ByteDots dots) {
    KernelLibrary.Code code = YmmLibrary.write(dots);
    List<YmmBlockCode> codes = YmmLibrary.codes(dots);
    List<Map.Entry<String, Integer>> kernels = new ArrayList<>(code.offsets().entrySet());
    assertThat(kernels).hasSize(codes.size() * (2 + 8 + 6) + 3 + 2 * 6);
    String dot = dots == ByteDots.VNNI ? "{vex} vpdpbusd" : "vpmaddubsw";
    for (int i = 0; i < kernels.size(); i++) {
      String name = kernels.get(i).getKey();
      int end = i + 1 < kernels.size() ? kernels.get(i + 1).getValue() : code.bytes().length;
      byte[] bytes = Arrays.copyOfRange(code.bytes(), kernels.get(i).getValue(), end);
      List<String> lines = new ArrayList<>(Disassembly.of(bytes, directory));
      while (lines.getLast().equals("nop")) {
        lines.removeLast();
      }
      assertThat(lines).as(name).noneMatch(line -> line.contains("(bad)")).endsWith("ret");
      assertThat(lines).as(name).contains("vzeroupper");
      assertThat(lines).as(name).noneMatch(line -> CALLEE_SAVED.stream().anyMatch(line::contains));
      assertThat(count(lines, dot)).as(name).isEqualTo(avx2Dots(name, codes, dots));
      assertThat(count(lines, "vfmadd231ps")).as(name).isEqualTo(fusedProducts(name, codes));
    }
  }

  private static long avx2Dots(String name, List<YmmBlockCode> codes, ByteDots dots) {
    String[] parts = name.split("-", -1);
    return switch (parts[0]) {
      case "decode" -> columns(codes, parts[1]) / 4L * Integer.parseInt(parts[2]);
      case "panel" -> (dots == ByteDots.VNNI ? 2L : 1L) * 8 * Integer.parseInt(parts[2]);
      default -> 0;
    };
  }

  private static int columns(List<? extends PackedUnit> units, String label) {
    return units.stream()
        .filter(each -> each.label().equals(label))
        .findFirst()
        .orElseThrow()
        .columns();
  }

  /// Of floats, two columns of 32 rows, or of 16 for more than three tokens; in decoding with sums
  /// in registers, one for each scale.
  private static long fusedProducts(String name, List<YmmBlockCode> codes) {
    String[] parts = name.split("-", -1);
    return switch (parts[0]) {
      case "f32", "bf16" -> {
        int tokens = Integer.parseInt(parts[1]);
        yield 2L * tokens * (tokens <= 3 ? 4 : 2);
      }
      case "decode" -> {
        int tokens = Integer.parseInt(parts[2]);
        int scales = columns(codes, parts[1]) / (parts[1].equals("Q6_K") ? 16 : 32);
        yield tokens <= 4 ? (long) scales * tokens : 0;
      }
      default -> 0;
    };
  }

  /// All of them belong to AVX2, FMA and F16C, and with VNNI to AVX_VNNI.
  @ParameterizedTest
  @EnumSource
  void avx2KernelsUseTheseInstructionsAlone(ByteDots dots) {
    Set<String> mnemonics = new TreeSet<>();
    for (String line : Disassembly.of(YmmLibrary.write(dots).bytes(), directory)) {
      assertThat(line).doesNotContain("zmm").doesNotContain("{evex}");
      mnemonics.add(line.replace("{vex} ", "").split(" ", 2)[0]);
    }
    Set<String> expected =
        new TreeSet<>(
            List.of(
                """
                add and dec je jmp jne lea mov movzx nop prefetcht0 ret sub test vbroadcastss \
                vcvtdq2ps vcvtph2ps vcvtps2dq vdivps vextracti128 vfmadd213ps vfmadd231ps \
                vfnmadd231ps vinserti128 vmovd vmovdqu vmovups vmulps vpackssdw vpacksswb \
                vpackusdw vpaddd vpand vpbroadcastd vpermq vpmaxud vpor vpshufd vpslld vpsllw \
                vpsrad vpsrld vpsrlw vpsubd vpunpckhdq vpunpckhqdq vpunpckldq vpunpcklqdq vpxor \
                vzeroupper\
                """
                    .split(" ", -1)));
    expected.addAll(
        dots == ByteDots.VNNI
            ? List.of("vpdpbusd")
            : List.of("vpabsb", "vpaddw", "vpmaddubsw", "vpmaddwd", "vpsignb"));
    assertThat(mnemonics).isEqualTo(expected);
  }

  private static long count(List<String> lines, String mnemonic) {
    return lines.stream().filter(line -> line.startsWith(mnemonic + " ")).count();
  }

  private static long integerDots(String name) {
    String[] parts = name.split("-", -1);
    return switch (parts[0]) {
      case "decode" -> {
        BlockCode code =
            KernelLibrary.CODES.stream()
                .filter(each -> each.label().equals(parts[1]))
                .findFirst()
                .orElseThrow();
        yield code.columns() / 4L * Integer.parseInt(parts[2]);
      }
      case "panel" -> 2L * 8 * Integer.parseInt(parts[2]);
      default -> 0;
    };
  }

  private static long bf16Dots(String name) {
    return name.matches("bf16-\\d+") ? 2L * 8 * Integer.parseInt(name.substring(5)) : 0;
  }
}
