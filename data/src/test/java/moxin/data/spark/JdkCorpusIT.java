package moxin.data.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import moxin.data.CorpusRecipe;
import moxin.data.CorpusRecipe.Kind;
import moxin.data.CorpusRecipe.Source;
import moxin.data.CorpusReport;
import moxin.data.Document;
import moxin.data.Documents;
import moxin.data.Split;
import moxin.data.read.InputFiles;
import moxin.job.Manifest;
import moxin.job.Progress;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class JdkCorpusIT {
  private static final List<String> SLICE = List.of("java.base/java/util/*.java");

  @TempDir Path directory;

  @Test
  void aSliceOfTheRunningJdkBecomesCodeProseAndQuestions() throws Exception {
    Assumptions.assumeTrue(
        Files.exists(InputFiles.runningJdkSources()), "this JDK has no lib/src.zip");
    CorpusRecipe recipe =
        CorpusRecipe.of(
            List.of(
                new Source("code", Kind.JDK_CODE, null, SLICE, List.of()),
                new Source("prose", Kind.JDK_JAVADOC, null, SLICE, List.of()),
                new Source("capability", Kind.JDK_QUESTIONS, null, SLICE, List.of())));
    Path out = directory.resolve("corpus");
    CorpusReport report =
        CorpusPreparation.run(recipe, out, SharedSpark.runtime(), Progress.silent());

    assertThat(report.sources().keySet()).containsExactly("capability", "code", "prose");
    assertThat(report.sources().values())
        .allSatisfy(funnel -> assertThat(funnel.train().documents()).isGreaterThan(100));
    assertThat(report.licences().getFirst().licence())
        .startsWith("GPL-2.0-only WITH Classpath-exception-2.0");
    assertThat(Manifest.read(out).differences(out)).isEmpty();
    assertThat(filesOf(out, Split.TRAIN))
        .doesNotContainAnyElementsOf(filesOf(out, Split.VALIDATION));
    assertThat(Files.readAllLines(out.resolve("evaluation/javadoc.jsonl")))
        .isNotEmpty()
        .allMatch(line -> line.startsWith("{\"signature\":"));
  }

  private static Set<String> filesOf(Path corpus, Split split) throws Exception {
    Set<String> files = new HashSet<>();
    for (String source : Documents.sources(corpus, split)) {
      try (Stream<Document> documents = Documents.read(corpus, split, source)) {
        documents.forEach(
            d -> files.add(d.id().replaceFirst("^[a-z]+:", "").replaceFirst("#.*", "")));
      }
    }
    return files;
  }
}
