package moxin.infer.assembly;

import java.lang.foreign.MemorySegment;
import java.util.List;
import moxin.infer.kernel.MatrixKernels;
import moxin.infer.kernel.WeightFormat;

/// The machine code of all kernels of AVX2.
final class YmmLibrary {
  private static final int PAIR = 2;

  private YmmLibrary() {}

  /// The codes of all formats that meet INT8 inputs; of the same format, those of longer units
  /// first.
  static List<YmmBlockCode> codes(ByteDots dots) {
    return List.of(
        new YmmQ8Code(dots, PAIR),
        new YmmQ8Code(dots, 1),
        new YmmQ4Code(PAIR),
        new YmmQ4Code(1),
        new YmmMinimumCode(WeightFormat.Q4_K),
        new YmmMinimumCode(WeightFormat.Q5_K),
        new YmmQ6KCode());
  }

  /// Writes all kernels.
  static KernelLibrary.Code write(ByteDots dots) {
    KernelLibrary.Writer writer = new KernelLibrary.Writer(Assembler.vex());
    for (YmmBlockCode code : codes(dots)) {
      String label = code.label();
      writer.add("pack-" + label, PackKernel.of(code)::write);
      writer.add("unpack-" + label, asm -> YmmUnpackKernel.write(asm, code));
      for (int t = 1; t <= InputLayout.DECODE_TOKENS; t++) {
        int tokens = t;
        writer.add(
            "decode-" + label + "-" + t, asm -> YmmDecodeKernel.write(asm, code, dots, tokens));
      }
      for (int t = 1; t <= InputLayout.INT8_TOKENS; t++) {
        int tokens = t;
        writer.add(
            "panel-" + label + "-" + t, asm -> YmmPanelKernel.write(asm, code, dots, tokens));
      }
    }
    writer.add("int8-input", YmmInputKernel::write);
    writer.add("pack-F32", pack(Float.BYTES)::write);
    writer.add("pack-BF16", pack(Short.BYTES)::write);
    for (int t = 1; t <= YmmFloatKernel.TOKENS; t++) {
      int tokens = t;
      writer.add("f32-" + t, asm -> YmmFloatKernel.writeF32(asm, tokens));
    }
    for (int t = 1; t <= YmmFloatKernel.TOKENS; t++) {
      int tokens = t;
      writer.add("bf16-" + t, asm -> YmmFloatKernel.writeBf16(asm, tokens));
    }
    return writer.code();
  }

  private static PackKernel pack(int elementBytes) {
    int bytes = FloatProducts.STEP * elementBytes;
    return PackKernel.plain(YmmBlockCode.ROWS, bytes, MatrixKernels.TILE * Integer.BYTES);
  }

  static QuantisedProducts quantised(ByteDots dots, KernelLibrary.Code code, MemorySegment base) {
    int panelRows = YmmPanelKernel.rows(dots);
    return new QuantisedProducts(
        KernelLibrary.quantised(code, base, codes(dots), panelRows),
        code.entry(base, "int8-input"));
  }

  static FloatProducts floats(KernelLibrary.Code code, MemorySegment base) {
    int tokens = YmmFloatKernel.TOKENS;
    return new FloatProducts(
        new FloatProducts.Kernels(code.entry(base, "pack-F32"), code.entries(base, "f32-", tokens)),
        new FloatProducts.Kernels(
            code.entry(base, "pack-BF16"), code.entries(base, "bf16-", tokens)));
  }
}
