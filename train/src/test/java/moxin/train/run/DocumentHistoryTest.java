package moxin.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import moxin.job.BadInputException;
import moxin.job.Progress;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.testing.Seeded;
import moxin.text.shard.TokenShard;
import moxin.train.AdamW;
import moxin.train.Batch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a history says of a step is what the learner was given in it.
@Seeded
final class DocumentHistoryTest {
  private static final String RECIPE =
      """
      seed: 5
      training:
        learningRate: 0.05
        phases:
          - name: packed
            steps: 11
            contextLength: 16
            batchSize: 3
            accumulationSteps: 2
            sources: [{name: train, weight: 3}, {name: other, weight: 1, maxEpochs: 1.5}]
          - name: windows
            epochs: 0.5
            contextLength: 33
            batchSize: 2
            packing: contiguous
            sources: [{name: train, whenExhausted: stop}]
      """;

  @TempDir private Path directory = Path.of("");
  private Path run = Path.of("");
  private Map<String, Path> sources = Map.of();
  private final List<List<Batch>> seen = new ArrayList<>();

  @BeforeEach
  void train(Random random) throws Exception {
    run = directory.resolve("run");
    sources =
        Map.of(
            "train", TestRuns.shard(directory.resolve("train.npy"), 57, random),
            "other", TestRuns.shard(directory.resolve("other.npy"), 9, random));
    Training.run(
        TestRuns.job(
            TestRuns.recipe(directory.resolve("recipe.yaml"), RECIPE), run, sources, Watching::new),
        Training.Start.FRESH,
        TrainingObserver.none(),
        Progress.silent());
  }

  /// Keeps the batches of every step.
  private final class Watching extends BigramLearner {
    private List<Batch> step = new ArrayList<>();

    Watching(ModelConfig config, DType computeType, long seed) {
      super(config, computeType, seed);
    }

    @Override
    public double accumulate(Batch batch, double scale) {
      step.add(batch);
      return super.accumulate(batch, scale);
    }

    @Override
    public void step(AdamW adamW, double learningRate) {
      seen.add(step);
      step = new ArrayList<>();
      super.step(adamW, learningRate);
    }
  }

  @Test
  void theRunItselfSaysWhereItsShardsLie() throws Exception {
    List<DocumentUse> found = DocumentHistory.open(new RunDirectory(run), sources).ofStep(3);
    assertThat(DocumentHistory.open(new RunDirectory(run), Map.of()).ofStep(3)).isEqualTo(found);
    Path moved = Files.createDirectory(directory.resolve("moved"));
    try (DirectoryStream<Path> shard = Files.newDirectoryStream(directory, "train.*")) {
      for (Path file : shard) {
        Files.move(file, moved.resolve(file.getFileName()));
      }
    }
    assertThatThrownBy(() -> DocumentHistory.open(new RunDirectory(run), Map.of()))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("train.npy");
    Map<String, Path> named =
        Map.of("train", moved.resolve("train.npy"), "other", directory.resolve("other.npy"));
    assertThat(DocumentHistory.open(new RunDirectory(run), named).ofStep(3))
        .usingRecursiveFieldByFieldElementComparatorIgnoringFields("shard")
        .isEqualTo(found);
  }

  @Test
  void aStepsDocumentsAreWhatTheLearnerSaw() throws IOException {
    DocumentHistory history = DocumentHistory.open(new RunDirectory(run), sources);
    assertThat(history.steps()).isEqualTo(seen.size());
    for (int step = 1; step <= seen.size(); step++) {
      for (DocumentUse use : history.ofStep(step)) {
        Batch batch = seen.get(step - 1).get((int) use.microBatch());
        int[] ids = document(use);
        for (int i = 0; i < use.length(); i++) {
          int position = use.position() + i;
          int at = (int) use.row() * batch.length() + position;
          // The token after the last input is read as its target.
          int read = position < batch.length() ? batch.ids()[at] : batch.targets()[at - 1];
          assertThat(read).as("token %d of %s", i, use).isEqualTo(ids[i]);
        }
      }
    }
  }

  @Test
  void everyUseIsFoundFromItsDocumentToo() throws IOException {
    DocumentHistory history = DocumentHistory.open(new RunDirectory(run), sources);
    Map<String, List<DocumentUse>> byDocument = new TreeMap<>();
    for (int step = 1; step <= seen.size(); step++) {
      for (DocumentUse use : history.ofStep(step)) {
        byDocument
            .computeIfAbsent(use.source() + "#" + use.document(), _ -> new ArrayList<>())
            .add(use);
      }
    }
    assertThat(byDocument).hasSizeGreaterThan(40);
    for (Map.Entry<String, List<DocumentUse>> entry : byDocument.entrySet()) {
      assertThat(history.ofDocument(entry.getKey()))
          .as(entry.getKey())
          .containsExactlyElementsOf(entry.getValue());
    }
    // The documents of both sources have the ids d0, d1 and so on; there are 9 in the other.
    DocumentUse late =
        byDocument.values().stream()
            .map(List::getFirst)
            .filter(use -> use.document() > 8)
            .findFirst()
            .orElseThrow();
    assertThat(history.ofDocument("d" + late.document()))
        .isEqualTo(byDocument.get("train#" + late.document()));
  }

  @Test
  void afterAReturnToACheckpointStepsAreFurtherOn() throws IOException {
    RunDirectory directory = new RunDirectory(run);
    DocumentHistory history = DocumentHistory.open(directory, sources);
    List<List<DocumentUse>> before = new ArrayList<>();
    for (int step = 1; step <= 11; step++) {
      before.add(history.ofStep(step));
    }
    // Steps 4 to 6 were taken back: what was read in them is lost, and step 4 reads on.
    Files.writeString(
        directory.incidents(),
        """
        {"step":2,"phase":"packed","action":"skip","firstRow":6,"rows":6}
        {"step":6,"phase":"packed","action":"rollback","rolledBackTo":3,"firstRow":30,"rows":6}
        """
            + "{\"step\":6,\"pha");
    for (int step = 1; step <= 8; step++) {
      int then = step <= 3 ? step : step + 3;
      assertThat(history.ofStep(step)).hasSameSizeAs(before.get(then - 1));
      for (int i = 0; i < before.get(then - 1).size(); i++) {
        DocumentUse expected = before.get(then - 1).get(i);
        DocumentUse use = history.ofStep(step).get(i);
        assertThat(use).usingRecursiveComparison().ignoringFields("step").isEqualTo(expected);
        assertThat(use.step()).isEqualTo(step);
        assertThat(history.ofDocument(use.source() + "#" + use.document())).contains(use);
      }
    }
    for (DocumentUse lost : before.get(4)) {
      assertThat(history.ofDocument(lost.source() + "#" + lost.document()))
          .noneMatch(
              use ->
                  use.pass() == lost.pass()
                      && use.offset() == lost.offset()
                      && use.phase().equals("packed"));
    }
  }

  @Test
  void wrongQuestionsAreOneLine() throws IOException {
    DocumentHistory history = DocumentHistory.open(new RunDirectory(run), sources);
    assertThatThrownBy(() -> history.ofStep(0)).isInstanceOf(BadInputException.class);
    assertThatThrownBy(() -> history.ofStep(seen.size() + 1))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("the run has steps 1 to " + seen.size());
    assertThatThrownBy(() -> history.ofDocument("nobody"))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("no source of the run has a document nobody");
    assertThatThrownBy(
            () -> DocumentHistory.open(new RunDirectory(directory.resolve("no")), sources))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("recipe.yaml is missing");
    TestRuns.shard(directory.resolve("other.npy"), 12, new Random(8));
    assertThatThrownBy(() -> DocumentHistory.open(new RunDirectory(run), sources))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("not the shard that the run read as other");
  }

  @Test
  void theRealisedMixtureIsWrittenAtThePhasesEnds() throws IOException {
    List<PhaseMixture> mixtures = new ArrayList<>();
    JsonMapper json = new JsonMapper();
    for (String line : Files.readAllLines(run.resolve("mixture.jsonl"))) {
      mixtures.add(json.readValue(line, PhaseMixture.class));
    }
    assertThat(mixtures).extracting(PhaseMixture::phase).containsExactly("packed", "windows");
    PhaseMixture packed = mixtures.getFirst();
    assertThat(packed.step()).isEqualTo(11);
    assertThat(packed.sources().stream().mapToLong(PhaseMixture.SourceShare::rows).sum())
        .isEqualTo(66);
    PhaseMixture.SourceShare other = packed.sources().get(1);
    assertThat(other.weight()).isEqualTo(0.25);
    assertThat(other.epochs()).isLessThanOrEqualTo(1.5);
    assertThat(other.share()).isEqualTo(other.rows() / 66.0).isGreaterThan(0.1);
    assertThat(other.tokens()).isEqualTo(other.rows() * 16);
    assertThat(mixtures.getLast().sources().getFirst().share()).isEqualTo(1);
  }

  private static int[] document(DocumentUse use) throws IOException {
    try (TokenShard shard = TokenShard.open(Path.of(use.shard()))) {
      int[] ids = new int[use.length()];
      long offset =
          shard.documents().stream()
              .filter(document -> document.id().equals(use.id()))
              .findFirst()
              .orElseThrow()
              .offset();
      shard.copy(offset + use.offset(), ids, 0, ids.length);
      return ids;
    }
  }
}
