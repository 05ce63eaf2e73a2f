package moxin.infer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.stream.IntStream;
import moxin.model.GgufCheckpoint;
import moxin.model.LanguageModel;
import moxin.model.LogitRows;
import moxin.testing.SharedData;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The same weights from a GGUF file, whose query and key rows stand in another order, and from a
/// Hugging Face directory.
final class GgufModelParityTest {

  @ParameterizedTest
  @EnumSource(KernelChoice.class)
  void bothFilesGiveTheSameBits(KernelChoice kernels) throws Exception {
    Path directory = SharedData.require("reference/stories260K-hf");
    Path file = SharedData.require("reference/stories260K-f32.gguf");
    EngineOptions options = new EngineOptions(2, kernels);
    int[] ids = IntStream.range(0, 100).map(i -> 1 + i * 37 % 500).toArray();
    try (GgufCheckpoint checkpoint = GgufCheckpoint.open(file);
        CpuModel one = CpuModel.of(checkpoint.config(), checkpoint, options);
        CpuModel other = CpuModel.load(directory, options);
        LanguageModel.Session first = one.newSession();
        LanguageModel.Session second = other.newSession()) {
      assertThat(first.ingest(ids, LogitRows.ALL).values())
          .isEqualTo(second.ingest(ids, LogitRows.ALL).values());
    }
  }
}
