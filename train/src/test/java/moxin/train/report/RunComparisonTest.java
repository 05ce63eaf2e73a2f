package moxin.train.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import javax.xml.parsers.DocumentBuilderFactory;
import moxin.job.BadInputException;
import moxin.job.Progress;
import moxin.train.run.StepMetrics;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

final class RunComparisonTest {
  @TempDir private Path directory;

  @Test
  void curvesLieOverEachOtherAndDifferencesAreNamed() throws Exception {
    Path first = run("first", 300);
    Path second = run("second", 257);
    Path recipe = second.resolve("recipe.yaml");
    Files.writeString(
        recipe, Files.readString(recipe).replace("0.001", "0.002").replace("seed: 1", "seed: 2"));

    Document page = compare(List.of(first, second));

    assertThat(texts(page, "h2"))
        .containsExactly("What they came to", "Curves", "What differs in their recipes");
    assertThat(texts(page, "strong"))
        .containsExactly(
            "Loss",
            "Held-out loss",
            "Learning rate",
            "Gradient norm",
            "Tokens per second",
            "heldout bits_per_byte");
    assertThat(texts(page, "td"))
        .contains("first", "second", "seed", "1", "2", "training.learningRate")
        .contains("0.001", "0.002", "300", "257", "1.1000")
        .doesNotContain("name");
    assertThat(drawn(page, "run run0")).hasSize(8).allMatch(path -> path.startsWith("M"));
    assertThat(drawn(page, "run run1")).hasSize(8);
    assertThat(page.getElementsByTagName("script").getLength()).isZero();
  }

  @Test
  void oneRunWithoutStepsOrTooManyRunsAreOneLine() throws Exception {
    Path first = run("first", 13);
    Path empty = run("empty", 13);
    Files.writeString(empty.resolve("metrics.jsonl"), "");
    assertThatThrownBy(() -> compare(List.of(first, empty)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("empty: there is no metrics.jsonl with a step in it");
    assertThatThrownBy(() -> compare(Collections.nCopies(9, first)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("at most 8 runs");
  }

  @Test
  void spikesAreMarkedInTheReport() throws Exception {
    Path run = run("spiky", 300);
    Files.writeString(
        run.resolve("incidents.jsonl"),
        """
        {"step":120,"kind":"spike","finding":"loss 30 is <high>","action":"rollback"}
        {"step":104,"kind":"nonFinite","finding":"loss NaN","action":"skip"}
        """);
    Document page = parse(RunReport.write(run));
    assertThat(texts(page, "title"))
        .contains(
            "step 120, spike: loss 30 is <high>; rollback", "step 104, nonFinite: loss NaN; skip");
    assertThat(texts(page, "summary")).contains("Incidents: 2");
    assertThat(drawn(page, "head")).hasSize(4);
  }

  @Test
  void aReportGrowsWithItsRun() throws Exception {
    Path run = run("live", 30);
    AtomicLong clock = new AtomicLong();
    List<Long> written = new ArrayList<>();
    try (LiveReport live = new LiveReport(run, Progress.silent(), clock::get)) {
      for (int step = 1; step <= 200; step++) {
        live.onStep(new StepMetrics(step, "p", 1.0, 0, null, 0, 0, null, 0, 0, null, null));
        Path report = run.resolve(RunReport.FILE_NAME);
        if (step == 1) {
          await(report);
          written.add(Files.getLastModifiedTime(report).toMillis());
          Files.delete(report);
        }
        if (step < 60) {
          assertThat(report).doesNotExist();
        } else if (Files.exists(report)) {
          written.add((long) step);
          break;
        }
        clock.addAndGet(Duration.ofSeconds(1).toNanos());
        Thread.sleep(step < 60 ? 0 : 20);
      }
    }
    assertThat(written).hasSize(2);
  }

  private static void await(Path file) throws Exception {
    for (int i = 0; i < 1000 && !Files.exists(file); i++) {
      Thread.sleep(10);
    }
    assertThat(file).exists();
  }

  private Path run(String name, int steps) throws Exception {
    Path run = Files.createDirectory(directory.resolve(name));
    SampleRun.write(run, steps);
    return run;
  }

  private Document compare(List<Path> runs) throws Exception {
    return parse(RunComparison.write(runs, directory.resolve("comparison.html")));
  }

  private static Document parse(Path page) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(Files.readString(page))));
  }

  private static List<String> drawn(Document page, String style) {
    List<String> paths = new ArrayList<>();
    NodeList elements = page.getElementsByTagName("path");
    for (int i = 0; i < elements.getLength(); i++) {
      Element element = (Element) elements.item(i);
      if (element.getAttribute("class").equals(style)) {
        paths.add(element.getAttribute("d"));
      }
    }
    return paths;
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
