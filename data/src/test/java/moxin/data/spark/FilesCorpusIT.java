package moxin.data.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import moxin.data.CorpusException;
import moxin.data.CorpusRecipe;
import moxin.data.CorpusReport;
import moxin.data.Document;
import moxin.data.Documents;
import moxin.data.Split;
import moxin.data.Tokenization;
import moxin.job.ContentHash;
import moxin.job.Progress;
import moxin.testing.Seeded;
import moxin.testing.SharedData;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Seeded
final class FilesCorpusIT {
  @TempDir Path directory;

  @Test
  void everyFormatIsReadAndWhatIsBrokenIsReported(Random random) throws Exception {
    Path input = everyFormat(random);
    CorpusReport report = prepare(input, "out", 0);
    Map<String, String> reasons =
        report.skipped().stream()
            .collect(Collectors.toMap(CorpusReport.Reason::reason, CorpusReport.Reason::example));
    assertThat(reasons.get("malformed-json")).startsWith("lines.jsonl:2");
    assertThat(reasons.get("no-text-field")).isEqualTo("lines.jsonl:3");
    assertThat(reasons.get("binary-file")).isEqualTo("binary.txt");
    assertThat(report.skipped())
        .filteredOn(reason -> reason.reason().equals("unreadable-file"))
        .singleElement()
        .satisfies(reason -> assertThat(reason.documents()).isEqualTo(2));
    assertThat(report.replaced()).isEqualTo(1);
    assertThat(ids("out"))
        .contains(
            "corpus:notes.md#000000",
            "corpus:lines.jsonl#000000001",
            "corpus:code.py",
            "corpus:packed.jsonl.gz#000000001",
            "corpus:packed.jsonl.zst#000000002",
            "corpus:table.parquet#000000001",
            "corpus:table.parquet#000000002")
        .doesNotContain("corpus:short.txt#000000", "corpus:same.txt#000000");
    assertThat(report.dropped())
        .extracting(CorpusReport.Reason::reason)
        .containsExactly("exact-duplicate", "near-duplicate", "short-text");
    assertThat(report.licences()).filteredOn(licence -> licence.licence().equals("MIT")).hasSize(1);
  }

  @Test
  void theCorpusDoesNotDependOnThePartitions(Random random) throws Exception {
    Path input = everyFormat(random);
    prepare(input, "one", 1);
    String one = ContentHash.ofDirectory(directory.resolve("one/documents"));
    for (int partitions : new int[] {3, 16}) {
      String name = "many" + partitions;
      prepare(input, name, partitions);
      assertThat(ContentHash.ofDirectory(directory.resolve(name + "/documents"))).isEqualTo(one);
    }
  }

  @Test
  void limitsLeaveThatManyDocuments(Random random) throws Exception {
    Path input = everyFormat(random);
    CorpusRecipe recipe =
        CorpusRecipe.ofFiles(input).withLimits(new CorpusRecipe.Limits(3, Long.MAX_VALUE));
    CorpusPreparation.run(
        recipe, directory.resolve("few"), SharedSpark.runtime(), Progress.silent());
    assertThat(ids("few")).hasSize(3);
  }

  @Test
  void oneLongTextFileIsCutAndHasAHeldOutPart(Random random) throws Exception {
    Path input = Files.createDirectory(directory.resolve("book"));
    Files.writeString(
        input.resolve("book.txt"), (words(random, 400) + "\n\n").repeat(1) + book(random));
    CorpusReport report = prepare(input, "cut", 0);
    CorpusReport.Funnel funnel = report.sources().values().iterator().next();
    assertThat(funnel.train().documents()).isGreaterThan(1);
    assertThat(funnel.validation().documents()).isPositive();
    assertThat(Files.size(input.resolve("book.txt")))
        .isEqualTo(funnel.train().bytes() + funnel.validation().bytes());
  }

  @Test
  void anEmptyCorpusIsAClearError() throws Exception {
    Path input = Files.createDirectory(directory.resolve("empty"));
    assertThatThrownBy(() -> prepare(input, "none", 0))
        .isInstanceOf(CorpusException.class)
        .hasMessageContaining("holds no text");
    Files.writeString(input.resolve("a.txt"), "too short");
    assertThatThrownBy(() -> prepare(input, "none", 0))
        .isInstanceOf(CorpusException.class)
        .hasMessageContaining("the corpus is empty")
        .hasMessageContaining("1 short-text (corpus:a.txt#000000)");
    assertThat(directory.resolve("none")).doesNotExist();
  }

  @Test
  void aBrokenParquetFileIsAClearError() throws Exception {
    Path input = Files.createDirectory(directory.resolve("parquet"));
    Files.writeString(input.resolve("a.parquet"), "this is not Parquet");
    assertThatThrownBy(() -> prepare(input, "none", 0))
        .isInstanceOf(CorpusException.class)
        .hasMessageContaining("a.parquet")
        .message()
        .doesNotContain("\n");
  }

  @Test
  void tokenShardsHoldEveryDocumentInOrder(Random random) throws Exception {
    prepare(everyFormat(random), "out", 0);
    Path shards = directory.resolve("shards");
    Tokenization.Summary summary =
        Tokenization.run(
            directory.resolve("out"), new ByteTokenizer(), "00", shards, Progress.silent());
    assertThat(summary.documents()).isEqualTo(ids("out").size());
    assertThat(shards.resolve("train/corpus/00000.npy")).exists();
    assertThat(shards.resolve("validation/corpus/00000.npy")).exists();
    String index = Files.readString(shards.resolve("train/corpus/00000.json"));
    List<String> order = new ArrayList<>();
    try (Stream<Document> documents =
        Documents.read(directory.resolve("out"), Split.TRAIN, "corpus")) {
      documents.forEach(document -> order.add("\"" + document.id() + "\""));
    }
    assertThat(index).contains(order).containsSubsequence(order);
  }

  @Test
  void damagedPartsAreNamed(Random random) throws Exception {
    prepare(everyFormat(random), "out", 0);
    Path part = Documents.parts(directory.resolve("out"), Split.TRAIN, "corpus").getFirst();
    byte[] bytes = Files.readAllBytes(part);
    Files.write(part, Arrays.copyOf(bytes, bytes.length / 2));
    assertThatThrownBy(() -> ids("out"))
        .isInstanceOf(CorpusException.class)
        .hasMessageContaining("part-00000.jsonl.zst: document");
  }

  @Test
  void sharedFuzzyDuplicatesAreFound() throws Exception {
    Path licences = SharedData.require("dataprep/cs336-data/documents_with_fuzzy_duplicates");
    prepare(licences, "fuzzy", 0);
    assertThat(ids("fuzzy")).hasSize(2).contains("corpus:pytorch_license.txt#000000");
  }

  private CorpusReport prepare(Path input, String out, int partitions) throws IOException {
    return CorpusPreparation.run(
        CorpusRecipe.ofFiles(input),
        directory.resolve(out),
        SharedSpark.runtime(),
        Progress.silent(),
        partitions);
  }

  private List<String> ids(String corpus) throws IOException {
    Map<String, Document> documents = new TreeMap<>();
    for (Split split : Split.values()) {
      try (Stream<Document> stream = Documents.read(directory.resolve(corpus), split, "corpus")) {
        stream.forEach(document -> documents.put(document.id(), document));
      }
    }
    documents.values().forEach(d -> assertThat(d.hash()).isEqualTo(ContentHash.of(d.text())));
    return List.copyOf(documents.keySet());
  }

  private Path everyFormat(Random random) throws IOException {
    Path input = Files.createDirectory(directory.resolve("input"));
    String notes = words(random, 300);
    Files.writeString(input.resolve("notes.md"), notes);
    Files.writeString(input.resolve("same.txt"), notes);
    Files.writeString(input.resolve("similar.txt"), notes + " but a little longer");
    Files.writeString(input.resolve("short.txt"), "short");
    Files.write(input.resolve("binary.txt"), new byte[] {1, 0, 2});
    for (int i = 0; i < 40; i++) {
      Files.writeString(input.resolve("text" + i + ".txt"), words(random, 60 + i));
    }
    byte[] code =
        ("# Permission is hereby granted, free of charge, to any person: MIT licence\n"
                + "x = 1 # ?\n".repeat(3)
                + "print('hello from a program that is long enough')\n".repeat(9))
            .getBytes(StandardCharsets.UTF_8);
    code[code.length / 2] = (byte) 0xFF;
    Files.write(input.resolve("code.py"), code);
    Files.writeString(
        input.resolve("lines.jsonl"),
        line("text", words(random, 80)) + "{\"text\": \n{\"other\": 1}\n\n");
    byte[] gz = gzip(line("content", words(random, 80)));
    Files.write(input.resolve("packed.jsonl.gz"), gz);
    Files.write(input.resolve("broken.jsonl.gz"), Arrays.copyOf(gz, gz.length / 2));
    byte[] zst =
        Zstd.compress(
            (line("text", words(random, 80)) + line("text", words(random, 80)))
                .getBytes(StandardCharsets.UTF_8));
    Files.write(input.resolve("packed.jsonl.zst"), zst);
    Files.write(input.resolve("broken.txt.zst"), Arrays.copyOf(zst, zst.length / 2));
    parquet(input, List.of(words(random, 80), words(random, 90)));
    return input;
  }

  private void parquet(Path input, List<String> texts) throws IOException {
    SharedSpark.runtime();
    Path folder = directory.resolve("table");
    SparkSession.builder()
        .getOrCreate()
        .createDataset(texts, Encoders.STRING())
        .toDF("text")
        .coalesce(1)
        .write()
        .parquet(folder.toString());
    try (Stream<Path> files = Files.list(folder)) {
      Path file = files.filter(f -> f.toString().endsWith(".parquet")).findFirst().orElseThrow();
      Files.copy(file, input.resolve("table.parquet"));
    }
  }

  private static String book(Random random) {
    StringBuilder book = new StringBuilder();
    for (int i = 0; i < 300; i++) {
      book.append(words(random, 100)).append("\n\n");
    }
    return book.toString();
  }

  private static String words(Random random, int count) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < 3 + random.nextInt(6); j++) {
        text.append((char) ('a' + random.nextInt(26)));
      }
      text.append(i % 12 == 11 ? '\n' : ' ');
    }
    return text.toString();
  }

  private static String line(String field, String text) {
    return "{\"" + field + "\": \"" + text.replace("\n", "\\n") + "\"}\n";
  }

  private static byte[] gzip(String text) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return bytes.toByteArray();
  }
}
