package moxin.data.spark;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import moxin.data.CorpusException;
import moxin.data.CorpusRecipe;
import moxin.data.CorpusReport;
import moxin.data.StageItem;
import moxin.data.StagedDocument;
import moxin.data.Tally;
import moxin.data.read.InputFiles;
import moxin.data.read.InputUnit;
import moxin.data.read.StagingSink;
import moxin.data.read.UnitReader;
import moxin.job.AtomicDirectory;
import moxin.job.AtomicFile;
import moxin.job.Manifest;
import moxin.job.Progress;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.TaskCompletionListener;

/// Prepares a corpus: reads, normalises, filters, deduplicates, splits and writes documents.
///
/// The documents depend on the recipe and the input alone: not on the number of partitions, the
/// master or the order in which tasks end.
public final class CorpusPreparation {
  private static final JsonMapper JSON = new JsonMapper();

  private final CorpusRecipe recipe;
  private final JavaSparkContext spark;
  private final Progress progress;
  private final Map<String, Double> seconds = new LinkedHashMap<>();

  private CorpusPreparation(CorpusRecipe recipe, JavaSparkContext spark, Progress progress) {
    this.recipe = recipe;
    this.spark = spark;
    this.progress = progress;
  }

  /// Prepares the corpus of `recipe` in `out`, which appears when it is complete: `documents/`,
  /// `evaluation/javadoc.jsonl`, `report.json` and `manifest.json`.
  ///
  /// @throws CorpusException if the input cannot be used or nothing of it remains
  public static CorpusReport run(
      CorpusRecipe recipe, Path out, SparkRuntime spark, Progress progress) throws IOException {
    return new CorpusPreparation(recipe, spark.context(), progress).prepare(out, 0);
  }

  /// As above with the units of input dealt to `partitions` partitions, for tests.
  static CorpusReport run(
      CorpusRecipe recipe, Path out, SparkRuntime spark, Progress progress, int partitions)
      throws IOException {
    return new CorpusPreparation(recipe, spark.context(), progress).prepare(out, partitions);
  }

  private CorpusReport prepare(Path out, int partitions) throws IOException {
    List<InputUnit> units = InputFiles.list(recipe);
    try (AtomicDirectory directory = AtomicDirectory.open(out);
        StageProgress stages = new StageProgress(spark, progress, seconds)) {
      JavaRDD<StageItem> items = read(units, partitions).persist(StorageLevel.MEMORY_AND_DISK());
      Tally tally =
          stages.run(
              "Read and clean documents",
              "read",
              () -> {
                Tally sum = new Tally();
                items
                    .filter(item -> item instanceof Tally)
                    .map(item -> (Tally) item)
                    .collect()
                    .forEach(sum::merge);
                return sum;
              });
      JavaRDD<StagedDocument> documents =
          items.filter(item -> item instanceof StagedDocument).map(item -> (StagedDocument) item);
      requireDocuments(tally);
      Map<String, String> dropped = new Deduplication(recipe, stages).duplicates(documents);
      new CorpusWriter(recipe, stages, directory.path()).write(documents, dropped, tally);
      items.unpersist(false);
      CorpusReport report = CorpusReport.of(recipe, tally, Map.copyOf(seconds));
      AtomicFile.write(
          directory.path().resolve("report.json"),
          JSON.writerWithDefaultPrettyPrinter().writeValueAsString(report) + "\n");
      Manifest.write(directory.path(), "corpus", JSON.valueToTree(recipe), inputs());
      directory.commit();
      return report;
    } catch (CorpusException e) {
      throw e;
    } catch (RuntimeException e) {
      throw causeOf(e);
    }
  }

  private JavaRDD<StageItem> read(List<InputUnit> units, int partitions) {
    CorpusRecipe shared = recipe;
    List<InputUnit> files = new ArrayList<>();
    List<JavaRDD<StageItem>> parts = new ArrayList<>();
    for (InputUnit unit : units) {
      if (unit.format() == InputUnit.Format.PARQUET) {
        parts.add(ParquetDocuments.read(unit, recipe));
      } else {
        files.add(unit);
      }
    }
    if (!files.isEmpty()) {
      int slices = partitions > 0 ? partitions : slices(files);
      parts.addFirst(
          spark
              .parallelize(files, slices)
              .mapPartitions(
                  assigned -> {
                    QueueIterator items =
                        new QueueIterator(
                            consumer -> {
                              StagingSink sink = new StagingSink(shared, consumer);
                              UnitReader reader = new UnitReader(shared);
                              while (assigned.hasNext()) {
                                reader.read(assigned.next(), sink);
                              }
                              sink.finish();
                            });
                    TaskCompletionListener stop = context -> items.close();
                    TaskContext.get().addTaskCompletionListener(stop);
                    return items;
                  }));
    }
    JavaRDD<StageItem> all = parts.getFirst();
    for (JavaRDD<StageItem> part : parts.subList(1, parts.size())) {
      all = all.union(part);
    }
    return all;
  }

  /// A partition for every 4 MB, at least one for every processor.
  private int slices(List<InputUnit> files) {
    long bytes = files.stream().mapToLong(InputUnit::byteSize).sum();
    long slices = Math.max(spark.defaultParallelism(), bytes >> 22);
    return (int) Math.min(Math.min(slices, files.size()), 100_000);
  }

  private void requireDocuments(Tally tally) {
    long[] kept = {0};
    tally.forEach(Tally.KEPT, (key, count) -> kept[0] += count.documents());
    if (kept[0] == 0) {
      StringBuilder reasons = new StringBuilder();
      for (String stage : List.of(Tally.SKIPPED, Tally.DROPPED)) {
        tally.forEach(
            stage,
            (key, count) ->
                reasons
                    .append(reasons.isEmpty() ? ": " : ", ")
                    .append(count.documents() + " " + key.name() + " (" + count.example() + ")"));
      }
      throw new CorpusException("the corpus is empty, no document remains" + reasons);
    }
  }

  private List<Manifest.Entry> inputs() throws IOException {
    List<Manifest.Entry> inputs = new ArrayList<>();
    for (Map.Entry<String, Path> root : InputFiles.roots(recipe).entrySet()) {
      inputs.add(Manifest.Entry.of(root.getKey(), root.getValue()));
    }
    return inputs;
  }

  /// The reason that somebody can do something about, out of Spark's wrapping.
  private static CorpusException causeOf(RuntimeException e) {
    Throwable cause = e;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return new CorpusException(
        "corpus preparation failed: "
            + cause.getClass().getSimpleName()
            + ": "
            + ParquetDocuments.firstLine(cause),
        e);
  }
}
