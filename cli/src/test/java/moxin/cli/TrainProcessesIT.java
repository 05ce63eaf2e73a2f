package moxin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import moxin.testing.MpiRun;
import moxin.text.shard.TokenShardWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `mpirun moxin train`.
final class TrainProcessesIT {
  private static final String RECIPE =
      """
      seed: 5
      model: {vocabSize: 13, hiddenSize: 32, intermediateSize: 48, numHiddenLayers: 1, numAttentionHeads: 2, numKeyValueHeads: 1, maxPositionEmbeddings: 64, slidingWindow: 0, eosTokenId: 2, bosTokenId: 1}
      training:
        learningRate: 0.01
        phases:
          - {steps: 3, contextLength: 16, batchSize: 4, sources: [{path: train.npy}]}
        parallel: {zero: 2}
      """;

  @TempDir private Path directory = Path.of("");

  @Test
  void twoProcessesWriteOneRunWithTheLossesOfOne() throws Exception {
    writeShard();
    MpiRun.Ended two = train(2, directory.resolve("two"));
    assertThat(two.exitCode()).as(two.output()).isZero();
    assertThat(two.output().lines().filter(line -> line.endsWith("step-000003"))).hasSize(1);
    MpiRun.Ended one = train(1, directory.resolve("one"));
    assertThat(one.exitCode()).as(one.output()).isZero();
    assertThat(losses(directory.resolve("two")))
        .hasSize(3)
        .isEqualTo(losses(directory.resolve("one")));
  }

  @Test
  void aWrongRecipeIsOneLineAndEndsBothProcesses() throws Exception {
    MpiRun.Ended ended = train(2, directory.resolve("none"));
    assertThat(ended.exitCode()).as(ended.output()).isEqualTo(2);
    assertThat(ended.output().lines().filter(line -> line.startsWith("moxin: "))).hasSize(1);
  }

  private MpiRun.Ended train(int processes, Path out) throws Exception {
    String recipe = directory.resolve("recipe.yaml").toString();
    return MpiRun.run(directory, processes, Main.class, "train", recipe, "--out", out.toString());
  }

  private void writeShard() throws IOException {
    Files.writeString(directory.resolve("recipe.yaml"), RECIPE);
    Random random = new Random(3);
    try (TokenShardWriter writer =
        TokenShardWriter.create(directory.resolve("train.npy"), 13, "")) {
      for (int i = 0; i < 30; i++) {
        writer.add("d" + i, "test", "", random.ints(20, 1, 13).toArray());
      }
      writer.commit();
    }
  }

  private static List<Double> losses(Path run) throws IOException {
    JsonMapper json = JsonMapper.builder().build();
    List<Double> losses = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      losses.add(json.readTree(line).get("loss").asDouble());
    }
    return losses;
  }
}
