package moxin.infer.assembly;

import static moxin.infer.assembly.Gpr.R10;
import static moxin.infer.assembly.Gpr.R11;
import static moxin.infer.assembly.Gpr.R8;
import static moxin.infer.assembly.Gpr.RCX;
import static moxin.infer.assembly.Gpr.RDI;
import static moxin.infer.assembly.Gpr.RDX;
import static moxin.infer.assembly.Gpr.RSI;
import static moxin.infer.assembly.Memory.at;
import static moxin.infer.assembly.YmmBlockCode.FREE;
import static moxin.infer.assembly.YmmBlockCode.WEIGHTS;

import moxin.infer.kernel.MatrixKernels;

/// Unpacks a tile's weights of some units into a [Panel] with AVX2.
///
/// `void (w, panel, panelBytes, units)`: each 8 rows begin `panelBytes` behind those before.
final class YmmUnpackKernel {
  private static final int PARTS = MatrixKernels.TILE / YmmBlockCode.ROWS;

  private YmmUnpackKernel() {}

  static void write(Assembler asm, YmmBlockCode format) {
    Label part = new Label();
    Label unit = new Label();
    YmmFrame.open(asm, 0);
    format.constants(asm);
    asm.mov32(R8, PARTS);
    asm.mov(YmmFrame.argument(0), R8);
    asm.mov(R8, RDI);
    asm.mov(R10, RSI);
    asm.bind(part);
    asm.mov(R11, RCX);
    asm.bind(unit);
    format.beginUnit(asm, RDI);
    for (int block = 0; block < format.blocks(); block++) {
      block(asm, format, block);
    }
    asm.add(RDI, format.unitBytes());
    asm.dec(R11);
    asm.jump(Condition.NOT_ZERO, unit);
    asm.add(R8, RDX);
    asm.mov(RDI, R8);
    asm.add(R10, YmmBlockCode.VECTOR);
    asm.mov(RSI, R10);
    asm.mov(R11, YmmFrame.argument(0));
    asm.dec(R11);
    asm.mov(YmmFrame.argument(0), R11);
    asm.jump(Condition.NOT_ZERO, part);
    YmmFrame.close(asm);
  }

  private static void block(Assembler asm, YmmBlockCode format, int block) {
    for (int i = 0; i < BlockCode.QUADS; i++) {
      int quad = format.quad(i);
      format.weights(asm, RDI, block, quad, WEIGHTS);
      asm.vmovdqu32(at(RSI, Panel.QUADS + quad * Panel.QUAD_BYTES), WEIGHTS);
    }
    format.scale(asm, RDI, block, 0, FREE);
    asm.vmovups(at(RSI, Panel.SCALES), FREE);
    switch (format.shape()) {
      case PLAIN -> {}
      case HALVES -> {
        format.scale(asm, RDI, block, 1, FREE);
        asm.vmovups(at(RSI, Panel.SECOND), FREE);
      }
      case MINIMUM -> {
        asm.vmovups(FREE, format.minimum(block));
        asm.vmovups(at(RSI, Panel.SECOND), FREE);
      }
    }
    asm.add(RSI, Panel.BLOCK_BYTES);
  }
}
