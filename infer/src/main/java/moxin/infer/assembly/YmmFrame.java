package moxin.infer.assembly;

import static moxin.infer.assembly.Gpr.R10;
import static moxin.infer.assembly.Gpr.RAX;
import static moxin.infer.assembly.Gpr.RSP;
import static moxin.infer.assembly.Memory.at;

/// Memory of a kernel on the stack, aligned to cache lines: what 16 registers cannot hold.
final class YmmFrame {
  private static final int VECTOR = YmmBlockCode.VECTOR;

  /// The most vectors of fp32 scales and minimums that a unit has.
  private static final int SCALES = 16;

  /// The most sums of a kernel.
  private static final int SUMS = 12;

  /// The most constants of a kernel.
  private static final int CONSTANTS = 4;

  private static final int SUMS_AT = SCALES * VECTOR;
  private static final int CONSTANTS_AT = SUMS_AT + SUMS * VECTOR;
  private static final int CALLER_AT = CONSTANTS_AT + CONSTANTS * VECTOR;
  private static final int ARGUMENTS_AT = CALLER_AT + Long.BYTES;
  private static final int BYTES = CALLER_AT + 64;

  private YmmFrame() {}

  /// Makes the frame, with copies of the caller's first `arguments` arguments on the stack. Changes
  /// rax and r10.
  static void open(Assembler asm, int arguments) {
    asm.mov(RAX, RSP);
    asm.sub(RSP, BYTES);
    asm.and(RSP, -64);
    asm.mov(at(RSP, CALLER_AT), RAX);
    for (int i = 0; i < arguments; i++) {
      asm.mov(R10, at(RAX, (i + 1) * Long.BYTES));
      asm.mov(argument(i), R10);
    }
  }

  /// Leaves the frame and returns.
  static void close(Assembler asm) {
    asm.vzeroupper();
    asm.mov(RSP, at(RSP, CALLER_AT));
    asm.ret();
  }

  /// Scales and minimums of a unit.
  static Memory scale(int index) {
    return at(RSP, index * VECTOR);
  }

  static Memory sum(int index) {
    return at(RSP, SUMS_AT + index * VECTOR);
  }

  static Memory constant(int index) {
    return at(RSP, CONSTANTS_AT + index * VECTOR);
  }

  /// A copy of an argument, or room for another number of 64 bits.
  static Memory argument(int index) {
    return at(RSP, ARGUMENTS_AT + index * Long.BYTES);
  }
}
