package moxin.train.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Random;
import moxin.job.RecipeFile;
import moxin.model.ModelConfig;
import moxin.model.Precision;
import moxin.model.TensorView;
import moxin.text.shard.TokenShardWriter;
import moxin.train.LearnerFactory;
import moxin.train.recipe.TaskEvaluation;

/// Small corpora, recipes and jobs for tests.
final class TestRuns {
  static final int VOCAB = 13;

  private TestRuns() {}

  static ModelConfig config(int vocab) {
    return new ModelConfig(
        "mistral", vocab, 8, 8, 1, 1, 1, 8, 1e-5, 10000, OptionalInt.empty(), 64, true, 1, 2, 0.02);
  }

  /// A shard of documents whose ids follow a pattern that can be learned.
  static Path shard(Path file, int documents, Random random) throws IOException {
    try (TokenShardWriter writer = TokenShardWriter.create(file, VOCAB, "")) {
      for (int i = 0; i < documents; i++) {
        int[] ids = new int[2 + random.nextInt(40)];
        ids[0] = 1;
        for (int j = 1; j < ids.length - 1; j++) {
          ids[j] = random.nextInt(10) == 0 ? 3 + random.nextInt(10) : 3 + (ids[j - 1] + 4) % 10;
        }
        ids[ids.length - 1] = 2;
        writer.add("d" + i, "test", "", ids);
      }
      writer.commit();
    }
    return file;
  }

  static RecipeFile recipe(Path file, String yaml) throws IOException {
    Files.writeString(file, yaml);
    return RecipeFile.read(file);
  }

  static TrainingJob job(RecipeFile recipe, Path run, Map<String, Path> sources) {
    return job(recipe, run, sources, BigramLearner::new);
  }

  static TrainingJob jobWith(
      Path tokenizer, RecipeFile recipe, Path run, Map<String, Path> sources) {
    TrainingJob job = job(recipe, run, sources);
    return new TrainingJob(
        job.recipe(),
        job.run(),
        job.model(),
        job.learners(),
        job.sources(),
        Optional.of(tokenizer),
        job.generator(),
        job.tasks(),
        job.peakFlops());
  }

  /// Scores that depend on every bit of the weights.
  static List<TaskScores> scores(
      ModelConfig config, List<TensorView> weights, TaskEvaluation tasks) {
    double sum = 0;
    for (float weight : Precision.widen(weights.getFirst())) {
      sum += weight;
    }
    Map<String, TaskScores.Score> metrics = new LinkedHashMap<>();
    metrics.put("acc", new TaskScores.Score(1 / (1 + Math.exp(-sum)), 0.25, true));
    metrics.put("ppl", new TaskScores.Score(sum * tasks.limit(), null, false));
    return tasks.names().stream().map(name -> new TaskScores(name, 7, metrics)).toList();
  }

  static TrainingJob job(
      RecipeFile recipe, Path run, Map<String, Path> sources, LearnerFactory learners) {
    return new TrainingJob(
        recipe,
        new RunDirectory(run),
        Optional.of(config(VOCAB)),
        learners,
        sources,
        Optional.empty(),
        Optional.of((config, weights, samples) -> List.of("text of " + weights.getFirst().name())),
        Optional.of(TestRuns::scores),
        OptionalDouble.empty());
  }
}
