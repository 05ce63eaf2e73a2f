package moxin.train.verify;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import moxin.model.DType;
import moxin.model.SafetensorsWriter;
import moxin.model.TensorView;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CheckpointComparisonTest {
  @TempDir private Path directory;

  @Test
  void equalBitsHaveEqualHashesAndNoDifference() throws IOException {
    Path whole = checkpoint("whole", 1, 2, 3);
    Path killed = checkpoint("killed", 1, 2, 3);
    List<FileHash> files = CheckpointComparison.hashes(whole, killed);
    assertThat(files).hasSize(1).allMatch(FileHash::isEqual);
    assertThat(CheckpointComparison.firstDifference(whole, killed, files)).isEmpty();
  }

  @Test
  void theFirstDifferingTensorAndElementAreNamed() throws IOException {
    assertThat(difference(checkpoint("whole", 1, 2, 3), checkpoint("killed", 1, 2, 3.0000002f)))
        .contains(
            "model.safetensors: tensor b: element 1 of 2 has the bits 40400000 undisturbed,"
                + " 40400001 killed");
  }

  @Test
  void anAbsentFileIsADifference() throws IOException {
    Path whole = checkpoint("whole", 1, 2, 3);
    Path killed = checkpoint("killed", 1, 2, 3);
    Files.delete(killed.resolve("model.safetensors"));
    assertThat(difference(whole, killed))
        .contains("model.safetensors: only in the undisturbed run");
  }

  @Test
  void aLogSaysItsLastWholeStepAndItsFirstDifference() throws IOException {
    Path whole = directory.resolve("whole.jsonl");
    Path killed = directory.resolve("killed.jsonl");
    assertThat(StepLog.lastStep(whole)).isZero();
    String line = "{\"step\":1,\"loss\":2.5}\n";
    Files.writeString(whole, line + "{\"step\":2,\"loss\":2.25,\"seconds\":3}\n{\"step\":3,\"lo");
    assertThat(StepLog.lastStep(whole)).isEqualTo(2);
    assertThat(StepLog.perStep(whole)).hasSeconds(1).hasMillis(1500);
    Files.writeString(whole, line + "{\"step\":2,\"loss\":2.25}\n");
    Files.writeString(killed, line + "{\"step\":2,\"loss\":2.26}\n");
    assertThat(StepLog.firstDifference(whole, killed))
        .contains("step 2: loss is 2.25 undisturbed, 2.26 killed");
    assertThat(StepLog.firstDifference(whole, whole)).isEmpty();
  }

  private static Optional<String> difference(Path whole, Path killed) throws IOException {
    return CheckpointComparison.firstDifference(
        whole, killed, CheckpointComparison.hashes(whole, killed));
  }

  private Path checkpoint(String name, float... values) throws IOException {
    Path checkpoint = Files.createDirectory(directory.resolve(name));
    List<TensorView> tensors =
        List.of(
            TensorView.of("a", DType.F32, segment(values, 0, 1), 1),
            TensorView.of("b", DType.F32, segment(values, 1, 2), 2));
    SafetensorsWriter.write(checkpoint.resolve("model.safetensors"), tensors, Map.of());
    return checkpoint;
  }

  private static MemorySegment segment(float[] values, int from, int count) {
    return MemorySegment.ofArray(java.util.Arrays.copyOfRange(values, from, from + count));
  }
}
