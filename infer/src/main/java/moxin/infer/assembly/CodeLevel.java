package moxin.infer.assembly;

import java.util.Optional;

/// The instruction sets that kernels are written for, the fastest first.
public enum CodeLevel {
  /// AVX-512 with VNNI and, for bf16 weights, with BF16.
  AVX512,
  /// AVX2 with VNNI in its VEX encoding.
  AVX_VNNI,
  /// AVX2 with FMA alone.
  AVX2;

  /// One line that names what a processor lacks for this level.
  Optional<String> obstacle(CpuFeatures features) {
    return switch (this) {
      case AVX512 ->
          features.obstacle(
              CpuFeature.AVX512F, CpuFeature.AVX512BW, CpuFeature.AVX512VL, CpuFeature.AVX512_VNNI);
      case AVX_VNNI ->
          features.obstacle(CpuFeature.AVX2, CpuFeature.FMA, CpuFeature.F16C, CpuFeature.AVX_VNNI);
      case AVX2 -> features.obstacle(CpuFeature.AVX2, CpuFeature.FMA, CpuFeature.F16C);
    };
  }
}
