package moxin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import moxin.cli.MoxinHere.Answer;
import moxin.job.Manifest;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.model.Precision;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.TensorView;
import moxin.model.WeightNames;
import moxin.model.WeightNames.LayerWeight;
import moxin.testing.Seeded;
import moxin.testing.SharedData;
import moxin.train.adapter.AdapterFile;
import moxin.train.adapter.AdapterSettings;
import moxin.train.adapter.AdapterTarget;
import moxin.train.adapter.PeftConfig;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Seeded
class AdapterCommandTest {
  @TempDir private Path folder = Path.of("");
  private Path model = Path.of("");
  private Path adapter = Path.of("");

  @BeforeEach
  void writeAdapter(Random random) throws IOException {
    model = SharedData.require("reference/stories260K-hf");
    adapter = Files.createDirectory(folder.resolve("adapter"));
    ModelConfig config = ModelConfigFile.read(model);
    AdapterSettings settings =
        new AdapterSettings(3, 6, EnumSet.of(AdapterTarget.QUERY, AdapterTarget.DOWN));
    List<TensorView> factors = new ArrayList<>();
    settings
        .shapes(config)
        .forEach(
            (name, shape) -> {
              float[] values = new float[Math.toIntExact(shape.getFirst() * shape.getLast())];
              for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian();
              }
              factors.add(new TensorView(name, DType.F32, shape, MemorySegment.ofArray(values)));
            });
    AdapterFile.write(adapter, factors);
    new PeftConfig(settings, Optional.empty()).write(adapter);
  }

  @Test
  void mergingChangesTheTargetsAndUnmergingRestoresThem() throws IOException {
    Path merged = folder.resolve("merged");
    Path restored = folder.resolve("restored");
    Answer answer = run("merge", model, merged);
    assertThat(answer.code()).as(answer.err()).isZero();
    assertThat(answer.out()).isEqualTo(merged + System.lineSeparator());
    assertThat(run("unmerge", merged, restored).code()).isZero();

    assertThat(Manifest.read(merged).differences(merged)).isEmpty();
    assertThat(Manifest.read(merged).inputs()).hasSize(2);
    assertThat(merged.resolve("tok512.model")).exists();
    ModelConfig config = ModelConfigFile.read(model);
    assertThat(ModelConfigFile.read(merged)).isEqualTo(config);
    try (SafetensorsCheckpoint before = SafetensorsCheckpoint.open(model);
        SafetensorsCheckpoint after = SafetensorsCheckpoint.open(merged);
        SafetensorsCheckpoint back = SafetensorsCheckpoint.open(restored)) {
      assertThat(widened(after, LayerWeight.DOWN)).isNotEqualTo(widened(before, LayerWeight.DOWN));
      assertThat(widened(after, LayerWeight.KEY)).isEqualTo(widened(before, LayerWeight.KEY));
      for (String name : WeightNames.shapes(config).keySet()) {
        float[] expected = Precision.widen(before.tensor(name));
        float[] found = Precision.widen(back.tensor(name));
        for (int i = 0; i < expected.length; i++) {
          assertThat(Math.abs(found[i] - expected[i])).isLessThan(1e-5f);
        }
      }
    }
  }

  @Test
  void whatCannotBeMergedIsOneLineAndLeavesNothing() throws IOException {
    Path out = folder.resolve("out");
    assertComplains(run("merge", folder, out), "config.json: no such file");
    Path config = adapter.resolve("adapter_config.json");
    String text = Files.readString(config);
    Files.writeString(config, text.replace("\"use_dora\" : false", "\"use_dora\" : true"));
    assertComplains(run("merge", model, out), "use_dora is true, which is not supported");
    Files.writeString(config, text.replace("\"r\" : 3", "\"r\" : 4"));
    assertComplains(run("merge", model, out), "ask for floating-point numbers [4, 64]");
    Files.delete(config);
    assertComplains(run("merge", model, out), "is this a PEFT adapter?");
    assertThat(out).doesNotExist();
    assertComplains(run("merge", model, folder), "exists already");
    assertThat(MoxinHere.run("adapter").code()).isEqualTo(2);
  }

  private Answer run(String command, Path from, Path to) {
    return MoxinHere.run(
        "adapter", command, from.toString(), adapter.toString(), "--out", to.toString());
  }

  private static void assertComplains(Answer answer, String message) {
    assertThat(answer.code()).as(answer.err()).isEqualTo(2);
    assertThat(answer.err()).contains(message);
    assertThat(answer.err().strip()).doesNotContain("\n");
  }

  private static float[] widened(SafetensorsCheckpoint checkpoint, LayerWeight weight) {
    return Precision.widen(checkpoint.tensor(weight.name(0)));
  }
}
