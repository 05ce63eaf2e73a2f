package moxin.train.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import javax.xml.parsers.DocumentBuilderFactory;
import moxin.job.BadInputException;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

final class RunReportTest {
  @TempDir Path directory;

  @Test
  void aWholeRunHasEverySection() throws Exception {
    SampleRun.write(directory, 300);

    Document page = report();

    assertThat(texts(page, "h2"))
        .containsExactly(
            "Training",
            "Evaluation over time",
            "Held-out text",
            "Evaluation",
            "Samples as they improve",
            "Data",
            "Recipe",
            "Provenance");
    assertThat(texts(page, "h1")).containsExactly("tiny");
    assertThat(texts(page, "strong"))
        .containsExactly(
            "Loss", "Learning rate", "Gradient norm", "Throughput", "heldout bits_per_byte");
    assertThat(texts(page, "dd"))
        .contains("1,112", "19.2 k", "300 steps", "1 min 15 s", "1.100", "0.510 bits per byte");
    assertThat(texts(page, "td"))
        .contains("short", "long", "acc ↑", "0.4120", "0.0221", "near-duplicate", "GPL-2.0-only");
    assertThat(texts(page, "p"))
        .anyMatch(text -> text.startsWith("The model needs 29.7 % fewer bits than xz"))
        .anyMatch(
            text -> text.startsWith("Updates discarded because") && text.contains("1 step (77)"));
  }

  @Test
  void sectionsWithoutTheirFilesAreAbsent() throws Exception {
    SampleRun.write(directory, 30);
    for (String file :
        List.of(
            "recipe.yaml",
            "validation.jsonl",
            "evaluation.jsonl",
            "samples.jsonl",
            "data/report.json",
            "evaluation/results.json",
            "evaluation/summary.json",
            "checkpoints/latest/config.json",
            "checkpoints/latest/manifest.json")) {
      Files.delete(directory.resolve(file));
    }
    Document page = report();
    assertThat(texts(page, "h2")).containsExactly("Training");
    assertThat(texts(page, "h1")).containsExactly(directory.getFileName().toString());

    SampleRun.write(directory.resolve("other"), 30);
    Files.delete(directory.resolve("other/metrics.jsonl"));
    assertThat(texts(report(directory.resolve("other")), "h2")).doesNotContain("Training");
  }

  @Test
  void fiveThousandStepsStaySmallAndNothingIsLoaded() throws Exception {
    SampleRun.write(directory, 5000);

    Document page = report();

    Path file = directory.resolve(RunReport.FILE_NAME);
    assertThat(Files.size(file)).isLessThan(400_000);
    for (String tag : List.of("script", "link", "img", "iframe", "object", "a", "image", "use")) {
      assertThat(page.getElementsByTagName(tag).getLength()).as(tag).isZero();
    }
    assertThat(Files.readString(file)).doesNotContain("url(http").doesNotContain("@import");
    byte[] first = Files.readAllBytes(file);
    RunReport.write(directory);
    assertThat(Files.readAllBytes(file)).isEqualTo(first);
  }

  @Test
  void textsFromTheRunAreNeverMarkup() throws Exception {
    SampleRun.write(directory, 12);
    String nasty = "</blockquote><script>alert(1)</script>\\u0000\\u001b\\ud800 & \\\"'";
    Files.writeString(
        directory.resolve("samples.jsonl"),
        "{\"step\":3,\"prompt\":\"<b>\",\"text\":\"" + nasty + "\"}\n");

    Document page = report();

    assertThat(texts(page, "blockquote"))
        .containsExactly("<b></blockquote><script>alert(1)</script>\ufffd\ufffd\ufffd & \"'");
    assertThat(page.getElementsByTagName("script").getLength()).isZero();
  }

  @Test
  void aTornLastLineIsPassedOverAndOthersAreNamed() throws Exception {
    SampleRun.write(directory, 12);
    Path metrics = directory.resolve("metrics.jsonl");
    String whole = Files.readString(metrics);
    Files.writeString(metrics, whole + "{\"step\":13,\"pha");
    assertThat(texts(report(), "dd")).contains("12 steps");

    Files.writeString(metrics, "{\"step\":1}\nnonsense\n" + whole);
    assertThatThrownBy(() -> RunReport.write(directory))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("metrics.jsonl, line 2");
    Files.writeString(metrics, "{\"step\":9}\n" + whole);
    assertThatThrownBy(() -> RunReport.write(directory))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("line 2: step 1 after step 9");
  }

  @Test
  void nothingToReportIsOneLine() throws IOException {
    Path missing = directory.resolve("missing");
    assertThatThrownBy(() -> RunReport.write(missing))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("no such run directory");
    assertThatThrownBy(() -> RunReport.write(directory))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("nothing to report");
    assertThat(directory.resolve(RunReport.FILE_NAME)).doesNotExist();
  }

  @Test
  void extremeNumbersStillGiveAPage() throws Exception {
    for (String number : List.of("0", "-1", "1e308", "-1e308", "1e-310", "1e999", "null", "true")) {
      Files.writeString(
          directory.resolve("metrics.jsonl"),
          SampleRun.step(1, number) + SampleRun.step(2, "2") + SampleRun.step(4_000_000_000L, "1"));
      assertThat(texts(report(), "h2")).as(number).containsExactly("Training");
    }
  }

  @Test
  @Seeded
  void damagedFilesGiveAPageOrOneLine(Random random) throws Exception {
    SampleRun.write(directory, 12);
    List<Path> files = new ArrayList<>();
    try (var paths = Files.walk(directory)) {
      paths.filter(Files::isRegularFile).sorted().forEach(files::add);
    }
    int pages = 0;
    for (int round = 0; round < 150; round++) {
      Path file = files.get(random.nextInt(files.size()));
      byte[] whole = Files.readAllBytes(file);
      Files.write(file, damaged(whole, random));
      try {
        report();
        pages++;
      } catch (BadInputException e) {
        assertThat(e.getMessage()).doesNotContain("\n");
      }
      Files.write(file, whole);
    }
    assertThat(pages).isPositive();
  }

  private static byte[] damaged(byte[] whole, Random random) {
    byte[] bytes = whole.clone();
    for (int i = random.nextInt(4); i >= 0; i--) {
      bytes[random.nextInt(bytes.length)] = (byte) (32 + random.nextInt(95));
    }
    return random.nextInt(3) == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes;
  }

  private Document report() throws Exception {
    return report(directory);
  }

  private static Document report(Path run) throws Exception {
    String page = Files.readString(RunReport.write(run));
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(page)));
  }

  private static List<String> texts(Document page, String tag) {
    List<String> texts = new ArrayList<>();
    NodeList elements = page.getElementsByTagName(tag);
    for (int i = 0; i < elements.getLength(); i++) {
      texts.add(((Element) elements.item(i)).getTextContent());
    }
    return texts;
  }
}
