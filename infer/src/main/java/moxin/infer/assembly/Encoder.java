package moxin.infer.assembly;

import java.util.Arrays;

/// Writes the bytes of instructions: prefixes, opcode, ModRM, SIB, displacement.
final class Encoder {
  /// The two ways to encode a vector instruction.
  enum Encoding {
    VEX,
    EVEX
  }

  private static final int SIB = 4;

  private final Encoding encoding;
  private byte[] code = new byte[4096];
  private int size;

  Encoder(Encoding encoding) {
    this.encoding = encoding;
  }

  Encoding encoding() {
    return encoding;
  }

  int size() {
    return size;
  }

  byte[] bytes() {
    return Arrays.copyOf(code, size);
  }

  void put(int value) {
    if (size == code.length) {
      code = Arrays.copyOf(code, 2 * size);
    }
    code[size++] = (byte) value;
  }

  void put32(int value) {
    for (int i = 0; i < Integer.BYTES; i++) {
      put(value >> (8 * i));
    }
  }

  /// Overwrites the 32 bits at `at`.
  void patch32(int at, int value) {
    for (int i = 0; i < Integer.BYTES; i++) {
      code[at + i] = (byte) (value >> (8 * i));
    }
  }

  /// A vector instruction.
  ///
  /// @param vectorBytes the width that the encoding names
  /// @param reg the field ModRM.reg
  /// @param vvvv the second source, or 0 where there is none
  void vector(Form form, int vectorBytes, int reg, int vvvv, Operand rm) {
    switch (encoding) {
      case EVEX -> evex(form, vectorBytes, reg, vvvv, rm);
      case VEX -> vex(form, vectorBytes, reg, vvvv, rm);
    }
    put(form.opcode());
    switch (rm) {
      case VectorRegister register -> put(0xC0 | (reg & 7) << 3 | (register.number() & 7));
      case Memory memory -> {
        int unit =
            encoding == Encoding.EVEX
                ? form.displacementUnit(vectorBytes, memory.isBroadcast())
                : 1;
        modRm(reg, memory, unit);
      }
    }
  }

  /// A vector instruction whose source is a general-purpose register.
  void vectorFromGpr(Form form, int vectorBytes, int reg, Gpr source) {
    vector(form, vectorBytes, reg, 0, Xmm.of(source.number()));
  }

  private void evex(Form form, int vectorBytes, int reg, int vvvv, Operand rm) {
    int x;
    int b;
    int broadcast = 0;
    switch (rm) {
      case VectorRegister register -> {
        x = register.number() >> 4 & 1;
        b = register.number() >> 3 & 1;
      }
      case Memory memory -> {
        x = indexBit(memory);
        b = memory.base().number() >> 3;
        broadcast = memory.isBroadcast() ? 1 : 0;
      }
    }
    int width = Integer.numberOfTrailingZeros(vectorBytes) - 4;
    put(0x62);
    put((~((reg >> 3 & 1) << 7 | x << 6 | b << 5 | (reg >> 4 & 1) << 4) & 0xF0) | form.map());
    put(form.wide() << 7 | (~vvvv & 15) << 3 | 4 | form.prefix());
    put(width << 5 | broadcast << 4 | (~vvvv >> 4 & 1) << 3);
  }

  private void vex(Form form, int vectorBytes, int reg, int vvvv, Operand rm) {
    int x = 0;
    int b;
    int number = Math.max(reg, vvvv);
    switch (rm) {
      case VectorRegister register -> {
        b = register.number() >> 3 & 1;
        number = Math.max(number, register.number());
      }
      case Memory memory -> {
        if (memory.isBroadcast()) {
          throw new IllegalArgumentException("VEX has no embedded broadcast");
        }
        x = indexBit(memory);
        b = memory.base().number() >> 3;
      }
    }
    if (number > 15 || vectorBytes > 32) {
      throw new IllegalArgumentException("VEX has 16 registers of at most 32 bytes");
    }
    put(0xC4);
    put((~((reg >> 3 & 1) << 7 | x << 6 | b << 5) & 0xE0) | form.map());
    // Where EVEX has W1 and VEX ignores W, 1 does no harm.
    put(form.wide() << 7 | (~vvvv & 15) << 3 | (vectorBytes == 32 ? 4 : 0) | form.prefix());
  }

  /// A general-purpose instruction on memory, with its opcode bytes (the mandatory prefix
  /// excluded).
  void general(boolean wide, int reg, Memory memory, int... opcode) {
    int rex =
        0x40 | (wide ? 8 : 0) | reg >> 3 << 2 | indexBit(memory) << 1 | memory.base().number() >> 3;
    opcode(rex, opcode);
    modRm(reg, memory, 1);
  }

  /// A general-purpose instruction on registers.
  void general(boolean wide, int reg, Gpr rm, int... opcode) {
    int rex = 0x40 | (wide ? 8 : 0) | reg >> 3 << 2 | rm.number() >> 3;
    opcode(rex, opcode);
    put(0xC0 | (reg & 7) << 3 | (rm.number() & 7));
  }

  private void opcode(int rex, int... opcode) {
    if (rex != 0x40) {
      put(rex);
    }
    for (int value : opcode) {
      put(value);
    }
  }

  private static int indexBit(Memory memory) {
    Gpr index = memory.index();
    return index == null ? 0 : index.number() >> 3;
  }

  private void modRm(int reg, Memory memory, int unit) {
    int base = memory.base().number() & 7;
    Gpr index = memory.index();
    int displacement = memory.displacement();
    boolean isByte =
        displacement % unit == 0 && (byte) (displacement / unit) == displacement / unit;
    int mode = 2;
    if (isByte) {
      // Without a displacement, the base 5 (rbp, r13) would mean another form.
      mode = displacement == 0 && base != 5 ? 0 : 1;
    }
    boolean needsSib = index != null || base == SIB;
    put(mode << 6 | (reg & 7) << 3 | (needsSib ? SIB : base));
    if (needsSib) {
      int scale = Integer.numberOfTrailingZeros(memory.scale());
      put(scale << 6 | (index == null ? SIB : index.number() & 7) << 3 | base);
    }
    if (mode == 1) {
      put(displacement / unit);
    } else if (mode == 2) {
      put32(displacement);
    }
  }
}
