package moxin.eval;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeSet;
import moxin.job.ContentHash;

/// The task `javadoc_mc`: which of four descriptions belongs to this method?
///
/// Made from JSON lines with `signature`, `description` and `source`. The three wrong descriptions
/// are those of other methods, of the same source file where it has enough, then of the same
/// folder, then of any; which, and in what order the four stand, is decided by hashes of the texts,
/// so that the questions depend on the file's content and on nothing else. Examples for few-shot
/// prompts are the first methods in hash order, the same for every question, and are not asked
/// themselves.
public final class JavadocChoice implements Task {
  private static final int CHOICES = 4;

  private final Path file;
  private final List<Method> methods;
  private final Map<String, TreeSet<String>> bySource = new LinkedHashMap<>();
  private final Map<String, TreeSet<String>> byFolder = new LinkedHashMap<>();
  private final TreeSet<String> all = new TreeSet<>();

  private JavadocChoice(Path file, List<Method> methods) {
    this.file = file;
    this.methods = methods;
    for (Method method : methods) {
      bySource.computeIfAbsent(method.source(), key -> new TreeSet<>()).add(method.description());
      byFolder.computeIfAbsent(method.folder(), key -> new TreeSet<>()).add(method.description());
      all.add(method.description());
    }
  }

  /// Reads the methods of `file`.
  ///
  /// @throws TaskDataException if the file is not what it should be or has fewer than four
  ///   different descriptions
  public static JavadocChoice read(Path file) {
    List<Method> methods = new ArrayList<>();
    TreeSet<String> descriptions = new TreeSet<>();
    for (Path part : JsonLines.files(file)) {
      JsonLines.read(
          part,
          (object, where) -> {
            Method method =
                new Method(
                    methods.size(),
                    JsonLines.text(object, "signature", where).strip(),
                    JsonLines.text(object, "description", where).strip(),
                    object.path("source").asText(""));
            if (!method.signature().isEmpty() && !method.description().isEmpty()) {
              methods.add(method);
              descriptions.add(method.description());
            }
            return true;
          });
    }
    if (descriptions.size() < CHOICES) {
      throw new TaskDataException(
          file
              + ": expected methods with at least "
              + CHOICES
              + " different descriptions, found "
              + descriptions.size());
    }
    return new JavadocChoice(file, methods);
  }

  @Override
  public String name() {
    return "javadoc_mc";
  }

  @Override
  public double version() {
    return 1;
  }

  @Override
  public ObjectNode config() {
    ObjectNode config = JsonNodeFactory.instance.objectNode();
    config.put("task", name());
    config.put("output_type", "multiple_choice");
    ArrayNode files = config.putArray("dataset_files");
    for (Path part : JsonLines.files(file)) {
      files.add(HeldOut.describe(part));
    }
    config.put(
        "doc_to_text",
        "Question: Which description belongs to this method?\n{{signature}}\nAnswer:");
    config.put("target_delimiter", " ");
    config.put("fewshot_delimiter", "\n\n");
    return config;
  }

  @Override
  public List<Metric> metrics() {
    return List.of(Metric.ACC, Metric.ACC_NORM);
  }

  @Override
  public Questions questions(int shots, OptionalInt limit) {
    List<Method> ordered =
        methods.stream()
            .sorted(Comparator.comparing(Method::hash).thenComparingInt(Method::id))
            .toList();
    if (shots >= ordered.size()) {
      throw new TaskDataException(
          file + ": " + shots + " shots leave none of " + ordered.size() + " methods to ask");
    }
    StringBuilder examples = new StringBuilder();
    for (Method method : ordered.subList(0, shots)) {
      examples.append(method.question()).append(' ').append(method.description()).append("\n\n");
    }
    int available = ordered.size() - shots;
    int count = Math.min(available, limit.orElse(available));
    List<Question> questions =
        ordered.subList(shots, shots + count).stream()
            .sorted(Comparator.comparingInt(Method::id))
            .map(method -> question(method, examples.toString()))
            .toList();
    return new Questions(questions, available);
  }

  private Question question(Method method, String examples) {
    List<String> choices = choices(method);
    int gold = choices.indexOf(method.description());
    ObjectNode shown = JsonNodeFactory.instance.objectNode();
    shown.put("signature", method.signature());
    shown.put("source", method.source());
    ArrayNode list = shown.putArray("choices");
    choices.forEach(list::add);
    shown.put("gold", gold);
    List<Request> requests = new ArrayList<>();
    for (String choice : choices) {
      requests.add(new Request.LogLikelihood(examples + method.question(), " " + choice));
    }
    return new Question(
        method.id(),
        "",
        shown,
        method.description(),
        requests,
        responses -> observe(responses, choices, gold));
  }

  /// The right description and three wrong ones, in an order that tells nothing.
  List<String> choices(Method method) {
    List<String> choices = new ArrayList<>();
    choices.add(method.description());
    for (TreeSet<String> pool :
        List.of(
            bySource.getOrDefault(method.source(), all),
            byFolder.getOrDefault(method.folder(), all),
            all)) {
      pool.stream()
          .filter(candidate -> !choices.contains(candidate))
          .sorted(Comparator.comparing((String candidate) -> method.rank("draw", candidate)))
          .limit(CHOICES - choices.size())
          .toList()
          .forEach(choices::add);
    }
    choices.sort(Comparator.comparing((String choice) -> method.rank("order", choice)));
    return List.copyOf(choices);
  }

  private static Map<Metric, Observation> observe(
      List<Response> responses, List<String> choices, int gold) {
    int best = 0;
    int bestNormed = 0;
    double[] normed = new double[choices.size()];
    double[] plain = new double[choices.size()];
    for (int i = 0; i < choices.size(); i++) {
      String choice = choices.get(i);
      plain[i] = Evaluation.score(responses.get(i)).logProbability();
      normed[i] = plain[i] / choice.codePointCount(0, choice.length());
      best = plain[i] > plain[best] ? i : best;
      bestNormed = normed[i] > normed[bestNormed] ? i : bestNormed;
    }
    Map<Metric, Observation> observations = new EnumMap<>(Metric.class);
    observations.put(Metric.ACC, Observation.of(best == gold ? 1 : 0));
    observations.put(Metric.ACC_NORM, Observation.of(bestNormed == gold ? 1 : 0));
    return observations;
  }

  /// A method and its description.
  record Method(int id, String signature, String description, String source) {

    String folder() {
      int slash = source.lastIndexOf('/');
      return slash < 0 ? "" : source.substring(0, slash);
    }

    String question() {
      return "Question: Which description belongs to this method?\n" + signature + "\nAnswer:";
    }

    String hash() {
      return ContentHash.of(signature + "\n" + description);
    }

    String rank(String purpose, String candidate) {
      return ContentHash.of(purpose + "\n" + signature + "\n" + candidate);
    }
  }
}
