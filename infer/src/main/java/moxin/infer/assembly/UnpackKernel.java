package moxin.infer.assembly;

import static moxin.infer.assembly.Gpr.R10;
import static moxin.infer.assembly.Gpr.R11;
import static moxin.infer.assembly.Gpr.R8;
import static moxin.infer.assembly.Gpr.RCX;
import static moxin.infer.assembly.Gpr.RDI;
import static moxin.infer.assembly.Gpr.RDX;
import static moxin.infer.assembly.Gpr.RSI;
import static moxin.infer.assembly.Memory.at;
import static moxin.infer.assembly.Zmm.ZMM30;

/// Unpacks a tile's weights of some units into a [Panel].
///
/// `void (w, panel, panelBytes, units)`: the second 16 rows begin `panelBytes` behind the first.
final class UnpackKernel {
  private static final Zmm WEIGHTS = ZMM30;

  private UnpackKernel() {}

  static void write(Assembler asm, BlockCode format) {
    format.constants(asm);
    asm.mov(R8, RDI);
    asm.mov(R10, RSI);
    rows(asm, format, 0);
    asm.lea(RDI, at(R8, RDX, 1, 0));
    asm.mov(RSI, R10);
    rows(asm, format, 1);
    asm.vzeroupper();
    asm.ret();
  }

  private static void rows(Assembler asm, BlockCode format, int half) {
    Label unit = new Label();
    int offset = half * BlockCode.VECTOR;
    asm.mov(R11, RCX);
    asm.bind(unit);
    format.beginUnit(asm, RDI);
    for (int block = 0; block < format.blocks(); block++) {
      format.scales(asm, RDI, block);
      asm.vmovups(at(RSI, Panel.SCALES + offset), BlockCode.SCALE);
      if (format.shape() != BlockCode.Shape.PLAIN) {
        asm.vmovups(at(RSI, Panel.SECOND + offset), BlockCode.SECOND);
      }
      for (int i = 0; i < BlockCode.QUADS; i++) {
        int quad = format.quad(i);
        format.weights(asm, RDI, block, quad, WEIGHTS);
        asm.vmovdqu32(at(RSI, Panel.QUADS + quad * Panel.QUAD_BYTES + offset), WEIGHTS);
      }
      asm.add(RSI, Panel.BLOCK_BYTES);
    }
    asm.add(RDI, format.unitBytes());
    asm.dec(R11);
    asm.jump(Condition.NOT_ZERO, unit);
  }
}
