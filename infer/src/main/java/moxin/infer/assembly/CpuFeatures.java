package moxin.infer.assembly;

import static moxin.infer.assembly.Gpr.R8;
import static moxin.infer.assembly.Gpr.RAX;
import static moxin.infer.assembly.Gpr.RBX;
import static moxin.infer.assembly.Gpr.RCX;
import static moxin.infer.assembly.Gpr.RDI;
import static moxin.infer.assembly.Gpr.RDX;
import static moxin.infer.assembly.Gpr.RSI;
import static moxin.infer.assembly.Memory.at;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// The [CpuFeature]s of a processor that its operating system lets programs use.
public final class CpuFeatures {
  private static final int HIGHEST_LEAF = 0;
  private static final int BASIC_LEAF = 1;
  private static final int EXTENDED_LEAF = 7;
  private static final int OSXSAVE_BIT = 27;

  private final Set<CpuFeature> features;

  /// A processor with these features.
  public CpuFeatures(Collection<CpuFeature> features) {
    EnumSet<CpuFeature> copy = EnumSet.noneOf(CpuFeature.class);
    copy.addAll(features);
    this.features = Collections.unmodifiableSet(copy);
  }

  /// The processor that runs this JVM, asked by machine code.
  ///
  /// @throws MachineCodeException if this is no x86-64 JVM or the system refuses machine code; then
  ///   nothing was executed
  public static CpuFeatures detect() throws MachineCodeException {
    return detect(System.getProperty("os.arch"));
  }

  static CpuFeatures detect(String architecture) throws MachineCodeException {
    if (!architecture.equals("amd64") && !architecture.equals("x86_64")) {
      throw new MachineCodeException("no machine code: not supported on " + architecture);
    }
    try (ExecutableMemory memory = ExecutableMemory.of(code());
        Arena arena = Arena.ofConfined()) {
      MethodHandle call =
          Linker.nativeLinker()
              .downcallHandle(
                  memory.address(),
                  FunctionDescriptor.ofVoid(
                      ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
      return new CpuFeatures(detect(new Cpuid(call, arena.allocate(16, 4))));
    }
  }

  private static Set<CpuFeature> detect(Cpuid cpuid) {
    EnumSet<CpuFeature> found = EnumSet.noneOf(CpuFeature.class);
    if (cpuid.answer(HIGHEST_LEAF, 0)[CpuFeature.EAX] < EXTENDED_LEAF
        || (cpuid.answer(BASIC_LEAF, 0)[CpuFeature.ECX] >> OSXSAVE_BIT & 1) == 0) {
      return found;
    }
    int state = cpuid.answer(Cpuid.STATE, 0)[CpuFeature.EAX];
    int highestSubleaf = cpuid.answer(EXTENDED_LEAF, 0)[CpuFeature.EAX];
    for (CpuFeature feature : CpuFeature.values()) {
      boolean isListed = feature.leaf() != EXTENDED_LEAF || feature.subleaf() <= highestSubleaf;
      int word = cpuid.answer(feature.leaf(), feature.subleaf())[feature.register()];
      if (isListed
          && (word >> feature.bit() & 1) != 0
          && (state & feature.state()) == feature.state()) {
        found.add(feature);
      }
    }
    return found;
  }

  /// `void (int leaf, int subleaf, int[4] answer)`; a leaf of −1 asks for XCR0.
  static byte[] code() {
    Assembler asm = Assembler.evex();
    Label state = new Label();
    Label done = new Label();
    asm.push(RBX);
    asm.mov(R8, RDX);
    asm.mov32(RAX, RDI);
    asm.mov32(RCX, RSI);
    asm.add(RDI, 1);
    // Adding to 64 bits carries out of the lower half, so compare the lower half alone.
    asm.mov32(RDI, RDI);
    asm.test(RDI, RDI);
    asm.jump(Condition.ZERO, state);
    asm.cpuid();
    asm.jump(done);
    asm.bind(state);
    asm.xgetbv();
    asm.bind(done);
    asm.mov32(at(R8, 4 * CpuFeature.EAX), RAX);
    asm.mov32(at(R8, 4 * CpuFeature.EBX), RBX);
    asm.mov32(at(R8, 4 * CpuFeature.ECX), RCX);
    asm.mov32(at(R8, 4 * CpuFeature.EDX), RDX);
    asm.pop(RBX);
    asm.ret();
    return asm.assemble();
  }

  /// Whether all of `wanted` are there.
  public boolean has(CpuFeature... wanted) {
    return features.containsAll(Arrays.asList(wanted));
  }

  /// One line that names those of `wanted` that are missing.
  public Optional<String> obstacle(CpuFeature... wanted) {
    String missing =
        Arrays.stream(wanted)
            .filter(feature -> !features.contains(feature))
            .map(CpuFeature::name)
            .collect(Collectors.joining(", "));
    return missing.isEmpty()
        ? Optional.empty()
        : Optional.of("no machine code: this processor has no " + missing);
  }

  /// What is there, in the order of [CpuFeature].
  public Set<CpuFeature> all() {
    return features;
  }

  @Override
  public String toString() {
    return features.toString();
  }

  private record Cpuid(MethodHandle call, MemorySegment answer) {
    static final int STATE = -1;

    int[] answer(int leaf, int subleaf) {
      try {
        call.invokeExact(leaf, subleaf, answer);
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new IllegalStateException("cpuid cannot be called", e);
      }
      return answer.toArray(ValueLayout.JAVA_INT);
    }
  }
}
