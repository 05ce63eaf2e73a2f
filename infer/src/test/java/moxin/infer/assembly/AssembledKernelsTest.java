package moxin.infer.assembly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import moxin.infer.kernel.InputFormat;
import moxin.infer.kernel.MatrixKernels;
import moxin.infer.kernel.PackedMatrix;
import moxin.infer.kernel.ScalarKernels;
import moxin.infer.kernel.WeightFormat;
import org.junit.jupiter.api.Test;

/// What machine code is asked to do is checked in Java, and what it leaves out goes to another
/// tier.
class AssembledKernelsTest {

  private static AssembledKernels kernels(MatrixKernels other) {
    assumeTrue(AssembledKernels.obstacle().isEmpty(), AssembledKernels.obstacle().orElse(""));
    return AssembledKernels.with(other);
  }

  @Test
  void kernelsExistWhereThereIsNoObstacle() {
    if (AssembledKernels.obstacle().isPresent()) {
      String reason = AssembledKernels.obstacle().get();
      assertThat(reason).startsWith("no machine code: ").doesNotContain("\n");
      assertThatIllegalStateException()
          .isThrownBy(() -> AssembledKernels.with(new NoKernels()))
          .withMessage(reason);
    } else {
      assertThat(AssembledKernels.with(new NoKernels()).name()).startsWith("assembled-avx512-vnni");
    }
  }

  @Test
  void fp32IsLeftToTheOtherTier() {
    ScalarKernels other = new ScalarKernels();
    AssembledKernels kernels = kernels(other);
    assertThat(kernels.inputFormat(WeightFormat.F32)).isEqualTo(InputFormat.F32);
    assertThat(kernels.tokenGroup()).isEqualTo(other.tokenGroup());
    assertThat(kernels.inputBytes(InputFormat.F32, 3, 5))
        .isEqualTo(other.inputBytes(InputFormat.F32, 3, 5));
    assertThat(kernels.packedBytes(WeightFormat.F32, 33, 5))
        .isEqualTo(other.packedBytes(WeightFormat.F32, 33, 5));
  }

  @Test
  void packedWeightsTakeTheBytesOfTheFile() {
    AssembledKernels kernels = kernels(new NoKernels());
    for (BlockCode code : KernelLibrary.CODES) {
      WeightFormat format = code.format();
      assertThat(kernels.packedBytes(format, 64, 4096)).isEqualTo(64 * format.rowBytes(4096));
    }
  }

  @Test
  void memoryThatMachineCodeCannotReachIsRefused() {
    AssembledKernels kernels = kernels(new NoKernels());
    try (Arena arena = Arena.ofConfined()) {
      WeightFormat format = WeightFormat.Q8_0;
      MemorySegment data = arena.allocate(kernels.packedBytes(format, 32, 64), 64);
      PackedMatrix weights = new PackedMatrix(format, 32, 64, data);
      MemorySegment input = arena.allocate(kernels.inputBytes(InputFormat.INT8, 2, 64), 64);
      MemorySegment y = arena.allocate(2 * 32 * Float.BYTES, 64);
      kernels.multiply(weights, 0, 1, input, 2, y, 32);

      MemorySegment onHeap = MemorySegment.ofArray(new float[2 * 32]);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> kernels.multiply(weights, 0, 1, input, 2, onHeap, 32));
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> kernels.multiply(weights, 0, 1, input, 2, y, 33));
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> kernels.multiply(weights, 0, 1, input, 3, y, 32));
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> kernels.multiply(weights, 0, 2, input, 2, y, 32));
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> kernels.prepare(InputFormat.INT8, y, 33, 2, 0, 2, 64, input));
    }
  }
}
