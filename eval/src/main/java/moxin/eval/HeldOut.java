package moxin.eval;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeSet;
import moxin.job.ContentHash;

/// The task `heldout`: how well a model predicts documents it has not been trained on, in bits per
/// byte and perplexity, per source and over all.
///
/// Documents are JSON lines with `text` and, where they have one, `source`. A limit takes documents
/// in the order of their texts' hashes, so that every source has its share.
public final class HeldOut implements Task {
  private final List<Path> files;
  private final List<Document> documents;

  private HeldOut(List<Path> files, List<Document> documents) {
    this.files = files;
    this.documents = documents;
  }

  /// A document with text.
  ///
  /// @param source where it comes from; empty where nothing says so
  public record Document(String source, String text) {

    /// The length of its text in UTF-8.
    public int byteSize() {
      return text.getBytes(StandardCharsets.UTF_8).length;
    }
  }

  /// Reads the documents of a file, or of all `.jsonl`, `.jsonl.gz` and `.jsonl.zst` files in a
  /// folder. Documents without text are passed over.
  ///
  /// @throws TaskDataException if a file is not what it should be, or there is no document
  public static HeldOut read(Path path) {
    List<Path> files = JsonLines.files(path);
    List<Document> documents = new ArrayList<>();
    for (Path file : files) {
      JsonLines.read(
          file,
          (object, where) -> {
            String text = JsonLines.text(object, "text", where);
            if (!text.isEmpty()) {
              documents.add(new Document(object.path("source").asText(""), text));
            }
            return true;
          });
    }
    if (documents.isEmpty()) {
      throw new TaskDataException(path + ": no document with text in it");
    }
    return new HeldOut(files, documents);
  }

  /// The documents that [#questions] asks under `limit`, in file order.
  public List<Document> documents(OptionalInt limit) {
    return chosen(limit).stream().map(documents::get).toList();
  }

  @Override
  public String name() {
    return "heldout";
  }

  @Override
  public double version() {
    return 1;
  }

  @Override
  public ObjectNode config() {
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.put("task", name());
    config.put("output_type", "loglikelihood_rolling");
    ArrayNode list = config.putArray("dataset_files");
    for (Path file : files) {
      list.add(describe(file));
    }
    return config;
  }

  @Override
  public List<Metric> metrics() {
    return List.of(
        Metric.WORD_PERPLEXITY,
        Metric.BYTE_PERPLEXITY,
        Metric.BITS_PER_BYTE,
        Metric.TOKEN_PERPLEXITY);
  }

  @Override
  public Questions questions(int shots, OptionalInt limit) {
    boolean parts = new TreeSet<>(documents.stream().map(Document::source).toList()).size() > 1;
    List<Question> questions = new ArrayList<>();
    for (int id : chosen(limit)) {
      Document document = documents.get(id);
      int bytes = document.byteSize();
      int words = Whitespace.words(document.text());
      ObjectNode shown = JsonNodeFactory.instance.objectNode();
      shown.put("source", document.source());
      shown.put("bytes", bytes);
      shown.put("sha256", ContentHash.of(document.text()));
      questions.add(
          new Question(
              id,
              parts ? document.source() : "",
              shown,
              "",
              List.of(new Request.RollingLogLikelihood(document.text())),
              responses -> observe(responses, words, bytes)));
    }
    return new Questions(questions, documents.size());
  }

  static ObjectNode describe(Path file) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("name", String.valueOf(file.getFileName()));
    try {
      node.put("sha256", ContentHash.ofFile(file));
    } catch (IOException e) {
      throw new TaskDataException(file + ": cannot be read: " + e.getMessage(), e);
    }
    return node;
  }

  private List<Integer> chosen(OptionalInt limit) {
    List<Integer> ids = new ArrayList<>();
    for (int i = 0; i < documents.size(); i++) {
      ids.add(i);
    }
    if (limit.isEmpty() || limit.getAsInt() >= ids.size()) {
      return ids;
    }
    Map<Integer, String> hashes = new java.util.HashMap<>();
    ids.forEach(id -> hashes.put(id, ContentHash.of(documents.get(id).text())));
    return ids.stream()
        .sorted(Comparator.comparing((Integer id) -> hashes.getOrDefault(id, "")))
        .limit(limit.getAsInt())
        .sorted()
        .toList();
  }

  private static Map<Metric, Observation> observe(List<Response> responses, int words, int bytes) {
    Response.Score score = Evaluation.score(responses.getFirst());
    Map<Metric, Observation> observations = new EnumMap<>(Metric.class);
    observations.put(Metric.WORD_PERPLEXITY, new Observation(score.logProbability(), words));
    observations.put(Metric.BYTE_PERPLEXITY, new Observation(score.logProbability(), bytes));
    observations.put(Metric.BITS_PER_BYTE, new Observation(score.logProbability(), bytes));
    observations.put(
        Metric.TOKEN_PERPLEXITY, new Observation(score.logProbability(), score.tokens()));
    return observations;
  }
}
