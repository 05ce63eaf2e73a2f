package moxin.infer.assembly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import moxin.infer.kernel.InputFormat;
import moxin.infer.kernel.MatrixKernels;
import moxin.infer.kernel.PackedMatrix;
import moxin.infer.kernel.ScalarKernels;
import moxin.infer.kernel.WeightFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What machine code is asked to do is checked in Java, and what it leaves out goes to another
/// tier.
class AssembledKernelsTest {

  private static AssembledKernels kernels(CodeLevel level, MatrixKernels other) {
    Optional<String> obstacle = AssembledKernels.obstacle(level);
    assumeTrue(obstacle.isEmpty(), obstacle.orElse(""));
    return AssembledKernels.with(level, other);
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
      assertThat(AssembledKernels.with(new NoKernels()).name()).startsWith("assembled-avx");
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyLevelHasANameOrOneLineThatSaysWhyNot(CodeLevel level) {
    String prefix =
        switch (level) {
          case AVX512 -> "assembled-avx512-vnni";
          case AVX_VNNI -> "assembled-avx2-vnni";
          case AVX2 -> "assembled-avx2";
        };
    Optional<String> obstacle = AssembledKernels.obstacle(level);
    if (obstacle.isPresent()) {
      assertThat(obstacle.get()).startsWith("no machine code: ").doesNotContain("\n");
      assertThat(AssembledKernels.fastest()).isNotEqualTo(Optional.of(level));
    } else {
      assertThat(AssembledKernels.with(level, new NoKernels()).name()).startsWith(prefix);
    }
  }

  @Test
  void aLaptopWithoutAvx512GetsTheAvx2Levels() {
    CpuFeatures alderLake =
        new CpuFeatures(
            List.of(CpuFeature.AVX2, CpuFeature.FMA, CpuFeature.F16C, CpuFeature.AVX_VNNI));
    assertThat(CodeLevel.AVX512.obstacle(alderLake)).isPresent();
    assertThat(CodeLevel.AVX_VNNI.obstacle(alderLake)).isEmpty();
    CpuFeatures zen3 = new CpuFeatures(List.of(CpuFeature.AVX2, CpuFeature.FMA, CpuFeature.F16C));
    assertThat(CodeLevel.AVX_VNNI.obstacle(zen3))
        .contains("no machine code: this processor has no AVX_VNNI");
    assertThat(CodeLevel.AVX2.obstacle(zen3)).isEmpty();
  }

  @Test
  void fp32IsLeftToTheOtherTierWithAvx512() {
    ScalarKernels other = new ScalarKernels();
    AssembledKernels kernels = kernels(CodeLevel.AVX512, other);
    assertThat(kernels.inputFormat(WeightFormat.F32)).isEqualTo(InputFormat.F32);
    assertThat(kernels.tokenGroup()).isEqualTo(other.tokenGroup());
    assertThat(kernels.inputBytes(InputFormat.F32, 3, 5))
        .isEqualTo(other.inputBytes(InputFormat.F32, 3, 5));
    assertThat(kernels.packedBytes(WeightFormat.F32, 33, 5))
        .isEqualTo(other.packedBytes(WeightFormat.F32, 33, 5));
  }

  @ParameterizedTest
  @EnumSource
  void packedWeightsTakeTheBytesOfTheFile(CodeLevel level) {
    AssembledKernels kernels = kernels(level, new NoKernels());
    for (BlockCode code : KernelLibrary.CODES) {
      WeightFormat format = code.format();
      assertThat(kernels.packedBytes(format, 64, 4096)).isEqualTo(64 * format.rowBytes(4096));
    }
  }

  @ParameterizedTest
  @EnumSource
  void memoryThatMachineCodeCannotReachIsRefused(CodeLevel level) {
    AssembledKernels kernels = kernels(level, new NoKernels());
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
