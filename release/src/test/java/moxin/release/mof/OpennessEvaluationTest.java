package moxin.release.mof;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import moxin.testing.SharedData;
import org.junit.jupiter.api.Test;

class OpennessEvaluationTest {
  private static final Pattern EXPECTED =
      Pattern.compile("_C1_(\\d+)%-C2_(\\d+)%-C3_(\\d+)%_(\\d+)C_(\\d+)G_(\\d+)L_(\\d+)V_(\\d+)I_");

  /// The names come from the tool's own generator. It does not know that a class counts 0 while a
  /// lower one is unmet, so a class's figure is compared where every lower class is complete.
  @Test
  void theToolsTestCardsGetTheFiguresInTheirNames() throws IOException {
    int compared = 0;
    for (Path file : yaml(SharedData.require("mof/Test_Data"))) {
      Matcher name = EXPECTED.matcher(file.getFileName().toString());
      assertThat(name.find()).as(file.toString()).isTrue();
      OpennessEvaluation evaluation = OpennessEvaluation.of(OpennessCardFile.read(file));
      assertThat(evaluation.card().components()).hasSize(Integer.parseInt(name.group(4)));
      assertThat(evaluation.statuses().values().stream().filter(ComponentStatus::counts))
          .as("open components of " + file)
          .hasSize(Integer.parseInt(name.group(7)));
      boolean lowerComplete = true;
      for (OpennessClass target : OpennessClass.values()) {
        long expected = Long.parseLong(name.group(target.number()));
        long actual = evaluation.percentRounded(target);
        if (lowerComplete) {
          assertThat(actual).as(target + " of " + file).isEqualTo(expected);
          compared++;
        } else {
          assertThat(actual).as(target + " of " + file).isZero();
        }
        lowerComplete &= expected == 100;
      }
    }
    assertThat(compared).isGreaterThanOrEqualTo(33);
  }

  @Test
  void everyPublishedCardIsReadOrRefusedWithOneLine() throws IOException {
    int read = 0;
    for (Path file : yaml(SharedData.require("mof/models"))) {
      try {
        OpennessEvaluation.of(OpennessCardFile.read(file));
        read++;
      } catch (CardFormatException e) {
        assertThat(e.getMessage()).startsWith(file.toString()).doesNotContain("\n");
      }
    }
    assertThat(read).isGreaterThan(260);
  }

  @Test
  void aPaperStandsInForTheReport() {
    for (String document : List.of("Technical report", "Research paper")) {
      OpennessEvaluation evaluation =
          OpennessEvaluation.of(
              OpennessCardFile.parse(
                  "card",
                  """
        framework: {name: Model Openness Framework, version: '1.0', date: '2024-12-15'}
        release:
          name: x
          producer: y
          license: {distribution: {name: Apache-2.0}}
          components:
          - name: Model architecture
          - name: Model parameters (Final)
            license: CDLA-Permissive-2.0
          - name: %s
          - name: Evaluation results
          - name: Model card
          - name: Data card
        """
                      .formatted(document)));
      assertThat(evaluation.reached()).as(document).contains(OpennessClass.III);
      assertThat(evaluation.percentRounded(OpennessClass.II)).isEqualTo(60);
      assertThat(evaluation.percentRounded(OpennessClass.I)).isZero();
    }
  }

  @Test
  void anOpenLicenceThatDoesNotSuitTheTypeCountsWithAWarning() {
    OpennessEvaluation evaluation = evaluateOne("Model card", "GPL-3.0-only");
    assertThat(evaluation.status(Component.MODEL_CARD)).isEqualTo(ComponentStatus.CONDITIONAL);
    assertThat(evaluation.percentRounded(OpennessClass.III)).isEqualTo(17);
  }

  @Test
  void unlicensedAndUnknownLicencesDoNotCount() {
    assertThat(evaluateOne("Model card", "unlicensed").status(Component.MODEL_CARD))
        .isEqualTo(ComponentStatus.UNLICENSED);
    assertThat(evaluateOne("Model card", "Llama 2 Community License").status(Component.MODEL_CARD))
        .isEqualTo(ComponentStatus.INVALID);
    // Listed by the framework for data, yet neither OSI-approved, FSF-libre nor in the data list.
    assertThat(evaluateOne("Datasets", "C-UDA-1.0").status(Component.DATASETS))
        .isEqualTo(ComponentStatus.INVALID);
  }

  private static OpennessEvaluation evaluateOne(String component, String licence) {
    return OpennessEvaluation.of(
        OpennessCardFile.parse(
            "card",
            """
            release:
              name: x
              producer: y
              license: {}
              components: [{name: %s, license: %s}]
            """
                .formatted(component, licence)));
  }

  private static List<Path> yaml(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> file.toString().endsWith(".yml")).sorted().toList();
    }
  }
}
