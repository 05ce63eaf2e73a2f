package moxin.release;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import moxin.job.AtomicDirectory;
import moxin.job.BadInputException;
import moxin.job.Manifest;
import moxin.job.Progress;
import moxin.job.RecipeFile;
import moxin.release.mof.Component;
import moxin.release.mof.ComponentStatus;
import moxin.release.mof.OpennessClass;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReleaseBuilderTest {
  private static final String CLASSPATH = "GPL-2.0-only WITH Classpath-exception-2.0";

  @TempDir private Path directory = Path.of("");

  @Test
  void aWholeRunReachesClassTwoAndLacksAPaper() throws IOException {
    ReleaseCheck.Report report = build(CLASSPATH);
    assertThat(report.unproven()).isEmpty();
    assertThat(report.chain().holds()).isTrue();
    assertThat(report.reached()).contains(OpennessClass.II);
    assertThat(report.lacking()).containsExactly(Component.RESEARCH_PAPER);
    assertThat(report.verified().status(Component.DATASETS)).isEqualTo(ComponentStatus.CONDITIONAL);
    assertThat(report.verified().licences()).containsEntry(Component.DATASETS, "GPL-2.0-only");
    assertThat(report.verified().status(Component.FINAL_PARAMETERS))
        .isEqualTo(ComponentStatus.INCLUDED);
  }

  @Test
  void theChainLeadsFromTheWeightsToWhatWasRead() throws IOException {
    ReleaseCheck.Report report = build(CLASSPATH);
    assertThat(report.chain().origins()).extracting(Manifest.Entry::name).containsExactly("code");
    assertThat(report.chain().links())
        .contains(
            "model <- phase a: code <- tokens",
            "tokens <- documents <- data",
            "tokenizer <- documents <- data");
    assertThat(report.chain().referenced()).isEqualTo(3);
  }

  @Test
  void aPaperMakesItClassOne() throws IOException {
    SampleRun sample = SampleRun.create(directory, CLASSPATH);
    SampleRun.write(sample.run().resolve("paper.pdf"), "paper");
    SampleRun.write(
        sample.run().resolve("recipe.yaml"), "name: tiny\nrelease: {paper: paper.pdf}\n");
    Path out = directory.resolve("out");
    ReleaseCheck.Report report =
        ReleaseBuilder.build(sample.run(), out, sample.options(), Progress.silent());
    assertThat(report.reached()).contains(OpennessClass.I);
    assertThat(report.lacking()).isEmpty();
  }

  @Test
  void documentsWithoutAnOpenLicenceAreOnlyReferenced() throws IOException {
    ReleaseCheck.Report report = build("NONE");
    Path out = directory.resolve("out");
    assertThat(out.resolve("data/documents")).doesNotExist();
    assertThat(out.resolve("data/manifest.json")).exists();
    assertThat(report.verified().status(Component.DATASETS)).isEqualTo(ComponentStatus.MISSING);
    assertThat(report.reached()).contains(OpennessClass.III);
    assertThat(report.chain().holds()).isTrue();
    assertThat(out.resolve("DATA_CARD.md"))
        .content()
        .contains("Not in this folder: of the files of code, 3 without a known licence.");
  }

  @Test
  void withoutSourcesNoCodeCounts() throws IOException {
    SampleRun sample = SampleRun.create(directory, CLASSPATH);
    ReleaseOptions options = new ReleaseOptions(java.util.Optional.empty(), List.of());
    ReleaseCheck.Report report =
        ReleaseBuilder.build(sample.run(), directory.resolve("out"), options, Progress.silent());
    assertThat(report.reached()).isEmpty();
    assertThat(report.lacking()).containsExactly(Component.MODEL_ARCHITECTURE);
  }

  @Test
  void buildOutputsAreLeftOut() throws IOException {
    build(CLASSPATH);
    assertThat(directory.resolve("out/code/train/src/main/java/A.java")).exists();
    assertThat(directory.resolve("out/code/train/target")).doesNotExist();
  }

  @Test
  void cardsSayWhatIsKnown() throws IOException {
    build(CLASSPATH);
    assertThat(directory.resolve("out/README.md"))
        .content()
        .startsWith("---\nlicense: cdla-permissive-2.0\n")
        .contains("| heldout | 9 | bits_per_byte | 2.5000 |  |")
        .contains("By the files' own headers 100.0 % of what was read is under " + CLASSPATH);
    assertThat(directory.resolve("out/DATA_CARD.md"))
        .content()
        .contains(
            "| code, prose | " + CLASSPATH + " | 3 | 30 | java.base/A.java | words \\| of it |");
  }

  @Test
  void aTamperedFileIsFoundAndItsComponentDoesNotCount() throws IOException {
    build(CLASSPATH);
    Path out = directory.resolve("out");
    Files.writeString(out.resolve("model/model.safetensors"), "other weights");
    ReleaseCheck.Report report = ReleaseCheck.check(out);
    assertThat(report.claimed().reached()).contains(OpennessClass.II);
    assertThat(report.reached()).isEmpty();
    assertThat(report.unproven())
        .containsExactly(
            "Model parameters (Final): model/model.safetensors is missing or differs from the"
                + " manifest");
    assertThat(report.genuine()).isFalse();
    assertThat(report.chain().differences())
        .containsExactly(
            "model/model.safetensors: sha256 differs from the manifest of model",
            "model/model.safetensors: sha256 differs from the release's manifest");
  }

  @Test
  void aRewrittenManifestBreaksTheChain() throws IOException {
    build(CLASSPATH);
    Path tokens = directory.resolve("out/tokens/manifest.json");
    Files.writeString(tokens, Files.readString(tokens).replace("documents", "document"));
    assertThat(ReleaseCheck.check(directory.resolve("out")).chain().differences())
        .contains("tokens/manifest.json: sha256 differs from the release's manifest");
  }

  @Test
  void aMissingCorpusBreaksTheChain() throws IOException {
    SampleRun sample = SampleRun.create(directory, CLASSPATH);
    AtomicDirectory.deleteTree(sample.run().resolve("data"));
    ReleaseCheck.Report report =
        ReleaseBuilder.build(
            sample.run(), directory.resolve("out"), sample.options(), Progress.silent());
    assertThat(report.chain().holds()).isFalse();
    assertThat(report.chain().gaps())
        .contains("the weights do not lead back to the manifest of a corpus");
    assertThat(report.verified().status(Component.DATASETS)).isEqualTo(ComponentStatus.MISSING);
  }

  @Test
  void aDamagedFinalCheckpointIsPassedOver() throws IOException {
    SampleRun sample = SampleRun.create(directory, CLASSPATH);
    Files.delete(sample.run().resolve("checkpoints/step-000020/model.safetensors"));
    ReleaseBuilder.build(
        sample.run(), directory.resolve("out"), sample.options(), Progress.silent());
    assertThat(directory.resolve("out/model/model.safetensors")).hasContent("weights 10");
  }

  @Test
  void weightsAreReleasedWithoutOptimizerStates() throws IOException {
    ReleaseCheck.Report report = build(CLASSPATH);
    for (String place : List.of("model", "checkpoints/step-000010")) {
      Path weights = directory.resolve("out").resolve(place);
      assertThat(weights.resolve("model.safetensors")).exists();
      assertThat(weights.resolve("optimizer.safetensors")).doesNotExist();
    }
    assertThat(report.chain().holds()).isTrue();
  }

  @Test
  void resultsMeasuredOnTheFinalWeightsAreLinkedToThem() throws IOException {
    assertThat(evaluatedOn("step-000020").links()).contains("evaluation <- model <- model");
    assertThat(evaluatedOn("step-000010").gaps())
        .containsExactly("evaluation: its manifest does not name the final weights");
  }

  private ManifestChain.Report evaluatedOn(String checkpoint) throws IOException {
    SampleRun sample = SampleRun.create(directory.resolve(checkpoint), CLASSPATH);
    Path weights = sample.run().resolve("checkpoints").resolve(checkpoint);
    Manifest.write(
        sample.run().resolve("evaluation"),
        "evaluation",
        null,
        List.of(Manifest.Entry.of("model", weights)));
    Path out = directory.resolve("out");
    return ReleaseBuilder.build(sample.run(), out, sample.options(), Progress.silent()).chain();
  }

  @Test
  void missingPartsAreLeftOutAndNamed() throws IOException {
    SampleRun sample = SampleRun.create(directory, CLASSPATH);
    for (String name : List.of("report.html", "samples.jsonl", "evaluation/results.json")) {
      Files.delete(sample.run().resolve(name));
    }
    Files.delete(sample.run().resolve("data/report.json"));
    ReleaseCheck.Report report =
        ReleaseBuilder.build(
            sample.run(), directory.resolve("out"), sample.options(), Progress.silent());
    assertThat(report.unproven()).isEmpty();
    assertThat(report.reached()).isEmpty();
    assertThat(report.lacking())
        .containsExactly(
            Component.TECHNICAL_REPORT, Component.EVALUATION_RESULTS, Component.DATA_CARD);
    assertThat(report.verified().status(Component.SAMPLE_OUTPUTS))
        .isEqualTo(ComponentStatus.MISSING);
    assertThat(directory.resolve("out/README.md"))
        .content()
        .contains("This release has no evaluation results.")
        .doesNotContain("DATA_CARD.md");
  }

  @Test
  void anEarlierReleaseInsideTheRunIsNoPartOfIt() throws IOException {
    SampleRun sample = SampleRun.create(directory, CLASSPATH);
    Path out = sample.run().resolve("release");
    ReleaseBuilder.build(sample.run(), out, sample.options(), Progress.silent());
    AtomicDirectory.deleteTree(sample.run().resolve("tokens"));
    AtomicDirectory.deleteTree(sample.run().resolve("checkpoints/step-000010"));
    ReleaseCheck.Report report =
        ReleaseBuilder.build(sample.run(), out, sample.options(), Progress.silent());
    assertThat(out.resolve("tokens")).doesNotExist();
    assertThat(out.resolve("checkpoints")).doesNotExist();
    assertThat(report.chain().holds()).isFalse();
  }

  @Test
  void theManifestHasTheResolvedRecipeWhichIsReadableAgain() throws IOException {
    build(CLASSPATH);
    JsonNode recipe = Manifest.read(directory.resolve("out")).recipe();
    ReleaseRecipe read =
        RecipeFile.parse("manifest", recipe.toString())
            .requiredSection("release", ReleaseRecipe.class);
    assertThat(read.producer()).isEqualTo("the tests");
    assertThat(read.weights()).isEqualTo(ReleaseRecipe.defaults().weights());
    assertThat(recipe.path("release").path("datasets").asText()).isEqualTo("auto");
  }

  @Test
  void aRunIsFoundBehindALink() throws IOException {
    SampleRun sample = SampleRun.create(directory, CLASSPATH);
    Path link = Files.createSymbolicLink(directory.resolve("link"), sample.run());
    ReleaseCheck.Report report =
        ReleaseBuilder.build(link, directory.resolve("out"), sample.options(), Progress.silent());
    assertThat(report.reached()).contains(OpennessClass.II);
  }

  @Test
  void aLicenceThatIsNoSpdxIdIsRefused() throws IOException {
    SampleRun sample = SampleRun.create(directory, CLASSPATH);
    SampleRun.write(
        sample.run().resolve("recipe.yaml"), "name: tiny\nrelease: {weights: my own}\n");
    assertThatThrownBy(
            () ->
                ReleaseBuilder.build(
                    sample.run(), directory.resolve("out"), sample.options(), Progress.silent()))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("weights must be an SPDX licence id");
    assertThat(directory.resolve("out")).doesNotExist();
  }

  @Test
  void whatIsNoRunIsOneLineAndLeavesNothing() throws IOException {
    Path run = Files.createDirectories(directory.resolve("empty"));
    Path out = directory.resolve("out");
    assertThatThrownBy(
            () ->
                ReleaseBuilder.build(
                    run, out, ReleaseOptions.ofRunningProgram(), Progress.silent()))
        .isInstanceOf(BadInputException.class)
        .hasMessage(run + ": no whole checkpoint in it; has the run finished?");
    assertThatThrownBy(() -> ReleaseCheck.check(run)).isInstanceOf(BadInputException.class);
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files).containsExactly(run);
    }
  }

  @Test
  void buildingAgainReplacesTheFolder() throws IOException {
    SampleRun sample = SampleRun.create(directory, CLASSPATH);
    Path out = directory.resolve("out");
    ReleaseBuilder.build(sample.run(), out, sample.options(), Progress.silent());
    String first = Files.readString(out.resolve(ReleaseFolder.CARD));
    ReleaseBuilder.build(sample.run(), out, sample.options(), Progress.silent());
    assertThat(out.resolve(ReleaseFolder.CARD)).hasContent(first);
  }

  @Test
  @Seeded
  void damagedManifestsAreFoundOrRefused(Random random) throws IOException {
    build(CLASSPATH);
    Path out = directory.resolve("out");
    List<Path> manifests = RunArtefacts.manifests(out);
    for (int i = 0; i < 200; i++) {
      Path file = manifests.get(random.nextInt(manifests.size()));
      byte[] whole = Files.readAllBytes(file);
      byte[] damaged = java.util.Arrays.copyOf(whole, 1 + random.nextInt(whole.length));
      damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
      Files.write(file, damaged);
      try {
        ReleaseCheck.Report report = ReleaseCheck.check(out);
        assertThat(report.verified().card().name()).isEqualTo("tiny");
      } catch (BadInputException e) {
        assertThat(e.getMessage().lines()).hasSize(1);
      }
      Files.write(file, whole);
    }
  }

  private ReleaseCheck.Report build(String licence) throws IOException {
    SampleRun sample = SampleRun.create(directory, licence);
    return ReleaseBuilder.build(
        sample.run(), directory.resolve("out"), sample.options(), Progress.silent());
  }
}
