package moxin.data.spark;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import moxin.data.CorpusRecipe;
import moxin.data.Document;
import moxin.data.DocumentOrder;
import moxin.data.DocumentWriter;
import moxin.data.Documents;
import moxin.data.Split;
import moxin.data.StagedDocument;
import moxin.data.Tally;
import moxin.data.source.JavadocQuestion;
import org.apache.spark.Partitioner;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import scala.Tuple2;

/// Splits and orders the documents that remain and writes them in parts.
///
/// How many parts a source has follows from its size; which part a document is in, and where, from
/// its hash.
final class CorpusWriter {
  private static final long PART_BYTES = 16 << 20;
  private static final String LIMIT = "over-limit";

  private final CorpusRecipe recipe;
  private final StageProgress stages;
  private final Path out;

  CorpusWriter(CorpusRecipe recipe, StageProgress stages, Path out) {
    this.recipe = recipe;
    this.stages = stages;
    this.out = out;
  }

  /// Where documents go. Places are unsigned hexadecimal numbers of 16 digits.
  private record Plan(
      long seed,
      double validationBelow,
      Map<String, String> dropped,
      Map<String, String> lastPlaces,
      TreeMap<String, Integer> firstParts,
      Map<String, Integer> parts,
      String out)
      implements Serializable {

    String place(StagedDocument document) {
      return place(document.id(), seed);
    }

    static String place(String id, long seed) {
      return "%016x".formatted(DocumentOrder.place(id, seed));
    }

    Optional<String> reason(StagedDocument document) {
      String reason = dropped.get(document.id());
      String last = lastPlaces.get(document.source());
      if (reason == null && last != null && place(document).compareTo(last) > 0) {
        return Optional.of(LIMIT);
      }
      return Optional.ofNullable(reason);
    }

    Split split(StagedDocument document) {
      return DocumentOrder.splitPlace(document.splitKey(), seed) < validationBelow
          ? Split.VALIDATION
          : Split.TRAIN;
    }

    /// The key that sorts a document into its part: its number, its place, its identity.
    String key(StagedDocument document) {
      String side = split(document).folder() + "/" + document.source();
      String place = place(document);
      long fraction = Long.parseUnsignedLong(place, 16) >>> 33;
      int part = (int) ((fraction * parts.getOrDefault(side, 1)) >>> 31);
      return "%08d %s %s".formatted(firstParts.getOrDefault(side, 0) + part, place, document.id());
    }
  }

  void write(JavaRDD<StagedDocument> documents, Map<String, String> dropped, Tally tally)
      throws IOException {
    JavaSparkContext spark = JavaSparkContext.fromSparkContext(documents.context());
    Map<String, String> lastPlaces = lastPlaces(documents, dropped);
    Plan draft =
        new Plan(
            recipe.seed(),
            validationBelow(documents, spark.broadcast(dropped)),
            dropped,
            lastPlaces,
            new TreeMap<>(),
            Map.of(),
            out.toString());
    Tally counts = stages.run("Count what remains", "split", () -> count(documents, draft));
    tally.merge(counts);
    Map<String, Integer> parts = new HashMap<>();
    TreeMap<String, Integer> firstParts = new TreeMap<>();
    int total = 0;
    for (Split split : Split.values()) {
      for (CorpusRecipe.Source source : recipe.sources()) {
        long bytes = counts.count(split.folder(), source.name(), "").bytes();
        if (bytes > 0) {
          String side = split.folder() + "/" + source.name();
          firstParts.put(side, total);
          parts.put(side, (int) Math.ceilDiv(bytes, PART_BYTES));
          total += parts.get(side);
        }
      }
    }
    Plan plan =
        new Plan(
            recipe.seed(),
            draft.validationBelow(),
            dropped,
            lastPlaces,
            firstParts,
            parts,
            out.toString());
    int partitions = total;
    stages.run(
        "Write documents",
        "write",
        () -> {
          write(documents, spark.broadcast(plan), partitions);
          return partitions;
        });
    writeEvaluation();
  }

  private static void write(
      JavaRDD<StagedDocument> documents, Broadcast<Plan> plan, int partitions) {
    documents
        .filter(document -> plan.value().reason(document).isEmpty())
        .mapToPair(document -> new Tuple2<>(plan.value().key(document), document))
        .repartitionAndSortWithinPartitions(new KeyPartitioner(partitions))
        .foreachPartition(
            sorted -> {
              DocumentWriter writer = null;
              try {
                while (sorted.hasNext()) {
                  StagedDocument document = sorted.next()._2();
                  if (writer == null) {
                    writer = open(plan.value(), document);
                  }
                  writer.add(document);
                }
                if (writer != null) {
                  writer.commit();
                }
              } finally {
                if (writer != null) {
                  writer.close();
                }
              }
            });
  }

  private static DocumentWriter open(Plan plan, StagedDocument first) throws IOException {
    Split split = plan.split(first);
    String side = split.folder() + "/" + first.source();
    TaskContext task = TaskContext.get();
    int number = task.partitionId() - plan.firstParts().getOrDefault(side, 0);
    return new DocumentWriter(
        DocumentWriter.partOf(Path.of(plan.out()), split, first.source(), number),
        task.taskAttemptId());
  }

  private static Tally count(JavaRDD<StagedDocument> documents, Plan plan) {
    Broadcast<Plan> shared = JavaSparkContext.fromSparkContext(documents.context()).broadcast(plan);
    return documents
        .mapPartitions(
            partition -> {
              Tally tally = new Tally();
              while (partition.hasNext()) {
                StagedDocument document = partition.next();
                Optional<String> reason = shared.value().reason(document);
                tally.add(
                    reason.isPresent() ? Tally.DROPPED : shared.value().split(document).folder(),
                    document.source(),
                    reason.orElse(""),
                    document.utf8().length,
                    document.characters(),
                    document.id(),
                    "");
              }
              return List.of(tally).iterator();
            })
        .fold(
            new Tally(),
            (a, b) -> {
              Tally sum = new Tally();
              sum.merge(a);
              sum.merge(b);
              return sum;
            });
  }

  /// Below which place files are held out: the fraction of the recipe, or as much as it takes to
  /// hold out one file of a small corpus.
  private double validationBelow(
      JavaRDD<StagedDocument> documents, Broadcast<Map<String, String>> dropped) {
    double fraction = recipe.validationFraction();
    if (fraction == 0) {
      return 0;
    }
    long seed = recipe.seed();
    List<Double> smallest =
        documents
            .filter(document -> !dropped.value().containsKey(document.id()))
            .map(document -> DocumentOrder.splitPlace(document.splitKey(), seed))
            .distinct()
            .takeOrdered(2);
    return smallest.size() < 2 ? 0 : Math.max(fraction, Math.nextUp(smallest.getFirst()));
  }

  /// For each source over the limit, the place of its last document that stays.
  private Map<String, String> lastPlaces(
      JavaRDD<StagedDocument> documents, Map<String, String> dropped) {
    long limit = recipe.limits().maxDocuments();
    Map<String, String> last = new HashMap<>();
    if (limit < Integer.MAX_VALUE) {
      long seed = recipe.seed();
      for (CorpusRecipe.Source source : recipe.sources()) {
        String name = source.name();
        List<String> places =
            documents
                .filter(document -> document.source().equals(name))
                .filter(document -> !dropped.containsKey(document.id()))
                .map(document -> Plan.place(document.id(), seed))
                .takeOrdered((int) limit, (Comparator<String> & Serializable) String::compareTo);
        if (places.size() == limit) {
          last.put(name, places.getLast());
        }
      }
    }
    return last;
  }

  /// Writes the held-out questions as an evaluation task.
  private void writeEvaluation() throws IOException {
    List<String> sources = new ArrayList<>();
    for (CorpusRecipe.Source source : recipe.sources()) {
      if (source.kind() == CorpusRecipe.Kind.JDK_QUESTIONS) {
        sources.add(source.name());
      }
    }
    if (sources.isEmpty()) {
      return;
    }
    Path file = out.resolve("evaluation").resolve("javadoc.jsonl");
    Files.createDirectories(out.resolve("evaluation"));
    JsonMapper json = new JsonMapper();
    try (BufferedWriter writer = Files.newBufferedWriter(file)) {
      for (String source : sources) {
        try (Stream<Document> documents = Documents.read(out, Split.VALIDATION, source)) {
          for (Document document : (Iterable<Document>) documents::iterator) {
            Optional<JavadocQuestion> question = JavadocQuestion.parse(document.text());
            if (question.isPresent()) {
              Map<String, String> line = new LinkedHashMap<>();
              line.put("signature", question.get().signature());
              line.put("description", question.get().description());
              line.put("source", document.id());
              writer.write(json.writeValueAsString(line));
              writer.write('\n');
            }
          }
        }
      }
    }
  }

  /// Sends a key to the partition that its first eight digits name.
  private static final class KeyPartitioner extends Partitioner {
    private static final long serialVersionUID = 1;
    private final int partitions;

    KeyPartitioner(int partitions) {
      this.partitions = partitions;
    }

    @Override
    public int numPartitions() {
      return partitions;
    }

    @Override
    public int getPartition(Object key) {
      return Integer.parseInt(((String) key).substring(0, 8));
    }
  }
}
