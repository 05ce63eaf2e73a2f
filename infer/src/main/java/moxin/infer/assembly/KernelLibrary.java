package moxin.infer.assembly;

import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import moxin.infer.kernel.WeightFormat;

/// The machine code of all kernels and where each begins.
final class KernelLibrary {
  /// The formats that meet INT8 inputs.
  static final List<WeightFormat> QUANTISED =
      List.of(
          WeightFormat.Q8_0,
          WeightFormat.Q4_0,
          WeightFormat.Q4_K,
          WeightFormat.Q5_K,
          WeightFormat.Q6_K);

  private static final int ALIGNMENT = 64;

  private KernelLibrary() {}

  /// The kernels of a quantised format; index 0 of those by tokens is no kernel.
  record Quantised(
      BlockCode code,
      MemorySegment pack,
      MemorySegment unpack,
      MemorySegment[] decode,
      MemorySegment[] panel) {}

  /// Entry points, valid as long as the memory that holds the code.
  record Entries(
      Map<WeightFormat, Quantised> quantised,
      MemorySegment int8Input,
      MemorySegment bf16Pack,
      MemorySegment bf16Input,
      MemorySegment[] bf16) {

    static Entries of(Code code, MemorySegment base) {
      Map<WeightFormat, Quantised> quantised = new EnumMap<>(WeightFormat.class);
      for (WeightFormat format : QUANTISED) {
        quantised.put(
            format,
            new Quantised(
                BlockCode.of(format),
                code.entry(base, "pack-" + format),
                code.entry(base, "unpack-" + format),
                code.entries(base, "decode-" + format + "-", InputLayout.DECODE_TOKENS),
                code.entries(base, "panel-" + format + "-", InputLayout.INT8_TOKENS)));
      }
      return new Entries(
          quantised,
          code.entry(base, "int8-input"),
          code.entry(base, "pack-BF16"),
          code.entry(base, "bf16-input"),
          code.entries(base, "bf16-", InputLayout.BF16_TOKENS));
    }
  }

  /// Position-independent code and the offset of each kernel by name, in ascending order.
  record Code(byte[] bytes, Map<String, Integer> offsets) {

    private MemorySegment entry(MemorySegment base, String name) {
      Integer offset = offsets.get(name);
      if (offset == null) {
        throw new IllegalArgumentException("no kernel " + name);
      }
      return MemorySegment.ofAddress(base.address() + offset);
    }

    private MemorySegment[] entries(MemorySegment base, String prefix, int tokens) {
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
    Writer writer = new Writer();
    for (WeightFormat format : QUANTISED) {
      BlockCode code = BlockCode.of(format);
      writer.add("pack-" + format, PackKernel.of(code)::write);
      writer.add("unpack-" + format, asm -> UnpackKernel.write(asm, code));
      for (int t = 1; t <= InputLayout.DECODE_TOKENS; t++) {
        int tokens = t;
        writer.add("decode-" + format + "-" + t, asm -> DecodeKernel.write(asm, code, tokens));
      }
      for (int t = 1; t <= InputLayout.INT8_TOKENS; t++) {
        int tokens = t;
        writer.add("panel-" + format + "-" + t, asm -> PanelKernel.write(asm, code, tokens));
      }
    }
    writer.add("int8-input", InputKernels::writeInt8);
    writer.add("pack-BF16", PackKernel.bf16()::write);
    writer.add("bf16-input", InputKernels::writeBf16);
    for (int t = 1; t <= InputLayout.BF16_TOKENS; t++) {
      int tokens = t;
      writer.add("bf16-" + t, asm -> Bf16Kernel.write(asm, tokens));
    }
    return writer.code();
  }

  private static final class Writer {
    private final Assembler asm = Assembler.evex();
    private final Map<String, Integer> offsets = new LinkedHashMap<>();

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
