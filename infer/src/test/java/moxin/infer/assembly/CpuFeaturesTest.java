package moxin.infer.assembly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// CPUID agrees with the kernel's reading of it, and other architectures execute nothing.
class CpuFeaturesTest {

  @Test
  void theProcessorHasWhatTheSystemLists() throws IOException, MachineCodeException {
    Path info = Path.of("/proc/cpuinfo");
    assumeTrue(Files.exists(info));
    String architecture = System.getProperty("os.arch");
    assumeTrue(architecture.equals("amd64"), architecture);
    try (Stream<String> lines = Files.lines(info)) {
      Set<String> listed =
          lines
              .filter(line -> line.startsWith("flags"))
              .findFirst()
              .map(line -> Set.copyOf(List.of(line.split("[ \t:]+", -1))))
              .orElseThrow();
      Set<String> found =
          CpuFeatures.detect().all().stream()
              .map(feature -> feature.name().toLowerCase(Locale.ROOT))
              .collect(Collectors.toSet());
      Set<String> known =
          Stream.of(CpuFeature.values())
              .map(feature -> feature.name().toLowerCase(Locale.ROOT))
              .filter(listed::contains)
              .collect(Collectors.toSet());
      // Older kernels do not list the newest features.
      found.remove("avx_vnni_int8");
      known.remove("avx_vnni_int8");
      assertThat(found).isEqualTo(known);
    }
  }

  @Test
  void anotherArchitectureIsRefused() {
    assertThatThrownBy(() -> CpuFeatures.detect("aarch64"))
        .isInstanceOf(MachineCodeException.class)
        .hasMessage("no machine code: not supported on aarch64");
  }

  @Test
  void missingFeaturesAreNamed() {
    CpuFeatures features = new CpuFeatures(List.of(CpuFeature.AVX2, CpuFeature.FMA));
    assertThat(features.has(CpuFeature.AVX2, CpuFeature.FMA)).isTrue();
    assertThat(features.obstacle(CpuFeature.FMA)).isEmpty();
    assertThat(features.obstacle(CpuFeature.AVX512F, CpuFeature.AVX2, CpuFeature.AVX512_VNNI))
        .contains("no machine code: this processor has no AVX512F, AVX512_VNNI");
  }
}
