package moxin.infer.assembly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// Code runs, pages are never writable and executable at once, refusals say why.
class ExecutableMemoryTest {

  private static byte[] sum() {
    Assembler asm = Assembler.evex();
    asm.lea(Gpr.RAX, Memory.at(Gpr.RDI, Gpr.RSI, 2, 5));
    asm.ret();
    return asm.assemble();
  }

  private static void assumeThisIsX64() {
    String architecture = System.getProperty("os.arch");
    assumeTrue(architecture.equals("amd64") || architecture.equals("x86_64"), architecture);
    String system = System.getProperty("os.name");
    assumeTrue(system.startsWith("Linux") || system.startsWith("Mac"), system);
  }

  @Test
  void codeRuns() throws Throwable {
    assumeThisIsX64();
    try (ExecutableMemory memory = ExecutableMemory.of(sum())) {
      MethodHandle call =
          Linker.nativeLinker()
              .downcallHandle(
                  memory.address(),
                  FunctionDescriptor.of(
                      ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
      assertThat((long) call.invokeExact(100L, 11L)).isEqualTo(127L);
    }
  }

  @Test
  void pagesAreExecutableAndNotWritableUntilClosed() throws Exception {
    assumeThisIsX64();
    assumeTrue(Files.exists(Path.of("/proc/self/maps")));
    String start;
    try (ExecutableMemory memory = ExecutableMemory.of(sum())) {
      start = Long.toHexString(memory.address().address());
      assertThat(mapping(start)).contains(" r-xp ");
    }
    assertThat(mapping(start)).doesNotContain(" r-xp ");
  }

  private static String mapping(String start) throws IOException {
    return Files.readAllLines(Path.of("/proc/self/maps")).stream()
        .filter(line -> line.startsWith(start + "-"))
        .findFirst()
        .orElse("");
  }

  @Test
  void otherSystemsAreRefusedWithAReason() {
    assertThatThrownBy(() -> ExecutableMemory.of(sum(), "Windows 11"))
        .isInstanceOf(MachineCodeException.class)
        .hasMessage("no machine code: not supported on Windows 11");
  }

  @Test
  void nothingToMapIsRefusedByTheSystem() {
    assumeThisIsX64();
    assertThatThrownBy(() -> ExecutableMemory.of(new byte[0]))
        .isInstanceOf(MachineCodeException.class)
        .hasMessageMatching("no machine code: the system refuses memory \\(errno \\d+\\)");
  }
}
