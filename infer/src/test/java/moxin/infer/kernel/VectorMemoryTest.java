package moxin.infer.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

final class VectorMemoryTest {

  @Test
  void anAddressReachesTheByteOfItsSegment() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment segment = arena.allocate(100);
      segment.set(ValueLayout.JAVA_BYTE, 99, (byte) 42);
      long address = VectorMemory.address(segment, 99, 1);
      assertThat(VectorMemory.ALL.get(ValueLayout.JAVA_BYTE, address)).isEqualTo((byte) 42);
      assertThat(VectorMemory.address(address)).isEqualTo(address);
    }
  }

  @Test
  void whatLiesOutsideASegmentHasNoAddress() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment segment = arena.allocate(100);
      assertThatThrownBy(() -> VectorMemory.address(segment, 99, 2))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> VectorMemory.address(segment, -1, 1))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @Test
  void heapMemoryIsRefused() {
    MemorySegment heap = MemorySegment.ofArray(new byte[100]);
    assertThatThrownBy(() -> VectorMemory.address(heap, 0, 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void scratchMemoryBeginsAtACacheLine() {
    assertThat(VectorMemory.scratch(7).address() % 64).isZero();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 13})
  void productsRefuseInputsThatAreTooShort(int tokens) {
    VectorKernels kernels = new VectorKernels();
    try (Arena arena = Arena.ofConfined();
        KernelCase one = new KernelCase(WeightFormat.Q4_0, 32, 64, tokens)) {
      PackedMatrix weights = one.pack(kernels, arena);
      MemorySegment input =
          arena.allocate(kernels.inputBytes(InputFormat.INT8, tokens, 64) - 1, 64);
      MemorySegment y = arena.allocate(4L * 32 * tokens, 64);
      assertThatThrownBy(() -> kernels.multiply(weights, 0, 1, input, tokens, y, 32))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"Q8_0", "Q4_0", "Q4_K", "Q5_K", "Q6_K"})
  void productsRefuseTilesAndOutputsThatAreNotThere(WeightFormat format) {
    VectorKernels kernels = new VectorKernels();
    for (int tokens : new int[] {1, 13}) {
      try (Arena arena = Arena.ofConfined();
          KernelCase one = new KernelCase(format, 32, 256, tokens)) {
        PackedMatrix weights = one.pack(kernels, arena);
        MemorySegment input = arena.allocate(kernels.inputBytes(InputFormat.INT8, tokens, 256), 64);
        MemorySegment y = arena.allocate(4L * 64 * tokens, 64);
        MemorySegment small = y.asSlice(0, 4L * 64 * tokens - 4 * 32 - 4);
        assertThatThrownBy(() -> kernels.multiply(weights, 1, 2, input, tokens, y, 64))
            .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> kernels.multiply(weights, 0, 1, input, tokens, small, 64))
            .isInstanceOf(IndexOutOfBoundsException.class);
      }
    }
  }
}
