package moxin.train.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import moxin.job.BadInputException;
import moxin.train.run.SampleText;
import moxin.train.run.StepMetrics;
import moxin.train.run.TaskPoint;
import moxin.train.run.TaskScores;
import moxin.train.run.ValidationPoint;
import org.jspecify.annotations.Nullable;

/// The logs of a run, line by line. A last line that a kill has torn is passed over.
final class RunLogs {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final int MAX_LINES = 5_000_000;

  private RunLogs() {}

  static List<StepMetrics> steps(Path file) throws IOException {
    return read(
        file,
        line ->
            new StepMetrics(
                line.path("step").asLong(),
                line.path("phase").asText(),
                number(line, "loss"),
                orZero(number(line, "lr")),
                number(line, "gradNorm"),
                line.path("tokens").asLong(),
                orZero(number(line, "tokensPerSecond")),
                number(line, "mfu"),
                orZero(number(line, "seconds")),
                orZero(number(line, "time")),
                line.path("skipped").asBoolean() ? true : null,
                line.path("residentBytes").canConvertToLong()
                    ? (Long) line.path("residentBytes").asLong()
                    : null),
        StepMetrics::step);
  }

  static List<ValidationPoint> validation(Path file) throws IOException {
    return read(
            file,
            line ->
                new ValidationPoint(
                    line.path("step").asLong(),
                    line.path("phase").asText(),
                    nanIfAbsent(number(line, "loss")),
                    number(line, "bitsPerByte"),
                    line.path("targets").asLong(),
                    orZero(number(line, "time"))),
            ValidationPoint::step)
        .stream()
        .filter(point -> Double.isFinite(point.loss()))
        .toList();
  }

  /// What tasks came to; scores that are not finite numbers are left out.
  static List<TaskPoint> tasks(Path file) throws IOException {
    return read(
        file,
        line ->
            new TaskPoint(
                line.path("step").asLong(),
                line.path("phase").asText(),
                line.path("task").asText(),
                line.path("questions").asInt(),
                scores(line.path("metrics")),
                orZero(number(line, "time"))),
        TaskPoint::step);
  }

  private static Map<String, TaskScores.Score> scores(JsonNode metrics) {
    Map<String, TaskScores.Score> scores = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> metric : metrics.properties()) {
      Double value = number(metric.getValue(), "value");
      if (value != null) {
        scores.put(
            metric.getKey(),
            new TaskScores.Score(
                value,
                number(metric.getValue(), "standardError"),
                metric.getValue().path("higherIsBetter").asBoolean()));
      }
    }
    return scores;
  }

  static List<SampleText> samples(Path file) throws IOException {
    return read(
        file,
        line ->
            new SampleText(
                line.path("step").asLong(),
                line.path("prompt").asText(),
                line.path("text").asText()),
        SampleText::step);
  }

  /// Spikes, losses that are not finite, and warnings. After a return to a checkpoint steps come
  /// again, so their order says nothing.
  static List<Mark> incidents(Path file) throws IOException {
    return read(
            file,
            line ->
                new Mark(
                    line.path("step").asLong(),
                    line.path("kind").asText(),
                    line.path("finding").asText(),
                    line.path("action").asText()),
            _ -> 0)
        .stream()
        .filter(mark -> mark.step() > 0 && mark.step() < 1L << 50)
        .toList();
  }

  private static <T> List<T> read(
      Path file, Function<JsonNode, T> element, ToLongFunction<T> stepOf) throws IOException {
    List<T> found = new ArrayList<>();
    if (!Files.isRegularFile(file)) {
      return found;
    }
    long lastStep = 0;
    try (BufferedReader lines = Files.newBufferedReader(file)) {
      String line = lines.readLine();
      for (int number = 1; line != null; number++) {
        String following = lines.readLine();
        String where = file + ", line " + number;
        JsonNode node = parse(line);
        if (node != null) {
          T next = element.apply(node);
          long step = stepOf.applyAsLong(next);
          if (step < lastStep || step > 1L << 50 || number > MAX_LINES) {
            throw new BadInputException(where + ": step " + step + " after step " + lastStep);
          }
          lastStep = step;
          found.add(next);
        } else if (following != null) {
          throw new BadInputException(where + ": expected a JSON object");
        }
        line = following;
      }
    } catch (CharacterCodingException e) {
      throw new BadInputException(file + ": not UTF-8", e);
    }
    return found;
  }

  private static @Nullable JsonNode parse(String line) {
    try {
      JsonNode node = JSON.readTree(line);
      return node.isObject() ? node : null;
    } catch (JsonProcessingException e) {
      return null; // the caller says where
    }
  }

  private static @Nullable Double number(JsonNode line, String key) {
    JsonNode node = line.path(key);
    return node.isNumber() && Double.isFinite(node.asDouble()) ? node.asDouble() : null;
  }

  private static double orZero(@Nullable Double value) {
    return value == null ? 0 : value;
  }

  private static double nanIfAbsent(@Nullable Double value) {
    return value == null ? Double.NaN : value;
  }
}
