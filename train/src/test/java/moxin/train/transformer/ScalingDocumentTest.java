package moxin.train.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import moxin.collective.Traffic;
import moxin.job.Progress;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.testing.SharedData;
import moxin.torch.LibTorch;
import moxin.train.AdamW;
import moxin.train.Batch;
import moxin.train.Learner;
import moxin.train.ZeroStage;
import moxin.train.scaling.Fabric;
import moxin.train.scaling.ScalingTables;
import moxin.train.scaling.Volume;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// The tables of `docs/SCALING.md` are those that the code makes. Run with
/// `-Dmoxin.scaling.write=true` to write them anew.
class ScalingDocumentTest {
  private static final AdamW ADAM_W = new AdamW(0.9, 0.95, 1e-8, 0.1, true, false, 0.5);
  private static final int ROWS = 4;
  private static final int LENGTH = 13;
  private static final int MICRO_BATCHES = 2;

  private static final ModelConfig MOXIN_7B =
      new ModelConfig(
          "mistral",
          32000,
          4096,
          14336,
          36,
          32,
          8,
          128,
          1e-5,
          10000,
          OptionalInt.of(4096),
          32768,
          false,
          1,
          2,
          0.02);

  @BeforeAll
  static void load() throws IOException {
    LibTorch.load(Progress.silent());
  }

  @Test
  void theTablesAreThoseOfTheCode() throws Exception {
    assertThat(MOXIN_7B.parameterCount()).isEqualTo(8_114_180_096L);
    Path file = SharedData.projectRoot().resolve("docs/SCALING.md");
    String text = Files.readString(file);
    String expected = replaced(text, "measured", measured());
    expected = replaced(expected, "volumes", ScalingTables.volumes(MOXIN_7B, 1));
    expected = replaced(expected, "dgx", ScalingTables.times(MOXIN_7B, Fabric.DGX));
    expected = replaced(expected, "ethernet", ScalingTables.times(MOXIN_7B, Fabric.ETHERNET));
    if (Boolean.getBoolean("moxin.scaling.write")) {
      Files.writeString(file, expected);
    } else {
      assertThat(text).isEqualTo(expected);
    }
  }

  private static String replaced(String text, String name, String table) {
    String begin = "<!-- table " + name + " -->\n";
    int from = text.indexOf(begin) + begin.length();
    int to = text.indexOf("<!-- end -->", from);
    assertThat(from).as(name).isGreaterThanOrEqualTo(begin.length());
    return text.substring(0, from) + table + text.substring(to);
  }

  /// Bytes of one step as the communicator counts them beside those of [Volume].
  private static String measured() throws Exception {
    List<String> lines = new ArrayList<>();
    lines.add("| processes | stage | sent per process | by the model | messages |");
    lines.add("|---|---|---|---|---|");
    for (int ranks : new int[] {2, 4}) {
      for (ZeroStage stage : ZeroStage.values()) {
        ModelConfig config = ShardedLearnerTest.config(false);
        long[] sent =
            ThreadJob.run(
                config,
                stage,
                ranks,
                DType.F32,
                ActivationMemory.KEEP,
                (job, learner) -> step(job, learner, config));
        long slices = (long) MICRO_BATCHES * 4 / ranks;
        Volume volume = new Volume(config, stage, ranks, DType.F32);
        double model = volume.stepBytes(slices, ROWS / 4 * (long) LENGTH);
        assertThat((double) sent[0] / ranks / model)
            .as(stage + " of " + ranks)
            .isBetween(0.99, 1.01);
        lines.add(
            "| %d | %d | %d | %.0f | %d |"
                .formatted(ranks, stage.number(), sent[0] / ranks, model, sent[1] / ranks));
      }
    }
    return String.join("\n", lines) + "\n";
  }

  /// Bytes and messages of the second step, of all processes.
  private static long[] step(ThreadJob job, Learner learner, ModelConfig config) {
    Random random = new Random(5);
    long[] before = new long[2];
    for (int step = 0; step < 2; step++) {
      before[0] = job.sent(Traffic::exchangedBytes);
      before[1] = job.sent(Traffic::messages);
      for (int i = 0; i < MICRO_BATCHES; i++) {
        Batch batch = ShardedLearnerTest.batch(random, ROWS, LENGTH, config.vocabSize());
        learner.accumulate(batch, 1.0 / 100);
      }
      learner.step(ADAM_W, 1e-3);
    }
    return new long[] {
      job.sent(Traffic::exchangedBytes) - before[0], job.sent(Traffic::messages) - before[1]
    };
  }
}
