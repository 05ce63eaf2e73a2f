package moxin.infer.assembly;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import moxin.infer.kernel.MatrixKernels;
import moxin.infer.kernel.WeightFormat;

/// The machine code of all kernels of AVX-512 and where each begins.
final class KernelLibrary {
  private static final int PAIR = 2;

  /// The codes of all formats that meet INT8 inputs; of the same format, those of longer units
  /// first.
  static final List<BlockCode> CODES =
      List.of(
          new Q8Code(PAIR),
          new Q8Code(1),
          new Q4Code(PAIR),
          new Q4Code(1),
          new MinimumCode(WeightFormat.Q4_K),
          new MinimumCode(WeightFormat.Q5_K),
          new Q6KCode());

  private static final int ALIGNMENT = 64;

  private KernelLibrary() {}

  /// The kernels of a quantised format; index 0 of those by tokens is no kernel.
  ///
  /// @param panelRows of the 32 rows of a panel, those that a call of its kernel multiplies
  record Quantised(
      PackedUnit unit,
      int panelRows,
      MemorySegment pack,
      MemorySegment unpack,
      MemorySegment[] decode,
      MemorySegment[] panel) {}

  /// The kernels of `units`, by format.
  static Map<WeightFormat, List<Quantised>> quantised(
      Code code, MemorySegment base, List<? extends PackedUnit> units, int panelRows) {
    Map<WeightFormat, List<Quantised>> quantised = new EnumMap<>(WeightFormat.class);
    for (PackedUnit unit : units) {
      String label = unit.label();
      quantised
          .computeIfAbsent(unit.format(), _ -> new ArrayList<>())
          .add(
              new Quantised(
                  unit,
                  panelRows,
                  code.entry(base, "pack-" + label),
                  code.entry(base, "unpack-" + label),
                  code.entries(base, "decode-" + label + "-", InputLayout.DECODE_TOKENS),
                  code.entries(base, "panel-" + label + "-", InputLayout.INT8_TOKENS)));
    }
    return quantised;
  }

  /// Entry points, of the same format those of longer units first; valid as long as the memory that
  /// holds the code.
  record Entries(
      Map<WeightFormat, List<Quantised>> quantised,
      MemorySegment int8Input,
      MemorySegment bf16Pack,
      MemorySegment bf16Input,
      MemorySegment[] bf16) {

    static Entries of(Code code, MemorySegment base) {
      return new Entries(
          KernelLibrary.quantised(code, base, CODES, MatrixKernels.TILE),
          code.entry(base, "int8-input"),
          code.entry(base, "pack-BF16"),
          code.entry(base, "bf16-input"),
          code.entries(base, "bf16-", InputLayout.BF16_TOKENS));
    }
  }

  /// Position-independent code and the offset of each kernel by name, in ascending order.
  record Code(byte[] bytes, Map<String, Integer> offsets) {

    MemorySegment entry(MemorySegment base, String name) {
      Integer offset = offsets.get(name);
      if (offset == null) {
        throw new IllegalArgumentException("no kernel " + name);
      }
      return MemorySegment.ofAddress(base.address() + offset);
    }

    MemorySegment[] entries(MemorySegment base, String prefix, int tokens) {
      MemorySegment[] entries = new MemorySegment[tokens + 1];
      entries[0] = MemorySegment.NULL;
      for (int t = 1; t <= tokens; t++) {
        entries[t] = entry(base, prefix + t);
      }
      return entries;
    }
  }

  /// Writes all kernels.
  static Code write() {
    Writer writer = new Writer(Assembler.evex());
    for (BlockCode code : CODES) {
      String label = code.label();
      writer.add("pack-" + label, PackKernel.of(code)::write);
      writer.add("unpack-" + label, asm -> UnpackKernel.write(asm, code));
      for (int t = 1; t <= InputLayout.DECODE_TOKENS; t++) {
        int tokens = t;
        writer.add("decode-" + label + "-" + t, asm -> DecodeKernel.write(asm, code, tokens));
      }
      for (int t = 1; t <= InputLayout.INT8_TOKENS; t++) {
        int tokens = t;
        writer.add("panel-" + label + "-" + t, asm -> PanelKernel.write(asm, code, tokens));
      }
    }
    writer.add("int8-input", InputKernels::writeInt8);
    writer.add(
        "pack-BF16",
        PackKernel.plain(BlockCode.ROWS, InputLayout.BF16_STEP * Short.BYTES, 2 * BlockCode.VECTOR)
            ::write);
    writer.add("bf16-input", InputKernels::writeBf16);
    for (int t = 1; t <= InputLayout.BF16_TOKENS; t++) {
      int tokens = t;
      writer.add("bf16-" + t, asm -> Bf16Kernel.write(asm, tokens));
    }
    return writer.code();
  }

  /// Collects kernels.
  static final class Writer {
    private final Assembler asm;
    private final Map<String, Integer> offsets = new LinkedHashMap<>();

    Writer(Assembler asm) {
      this.asm = asm;
    }

    void add(String name, Consumer<Assembler> kernel) {
      asm.align(ALIGNMENT);
      offsets.put(name, asm.position());
      kernel.accept(asm);
    }

    Code code() {
      return new Code(asm.assemble(), offsets);
    }
  }
}
