package moxin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class FailuresTest {

  @Test
  void aFullHeapIsOneLineWithTheWayOut() {
    String line = Failures.describe(new OutOfMemoryError("Java heap space"));
    assertThat(line).contains("Java heap of").contains("MOXIN_HEAP").doesNotContain("\n");
  }

  @Test
  void aFullMachineIsOneLineWithTheWayOut() {
    String line = Failures.describe(new OutOfMemoryError("no 99 bytes of native memory"));
    assertThat(line)
        .startsWith("out of memory: no 99 bytes of native memory; the machine has no more")
        .contains("--kv-type q8")
        .doesNotContain("\n");
  }

  @Test
  void memoryThatRanOutOnAKernelThreadIsNoBug() {
    Exception wrapped = new IllegalStateException("a kernel failed", new OutOfMemoryError("x"));
    assertThat(Failures.describe(wrapped)).startsWith("out of memory: x;");
  }
}
