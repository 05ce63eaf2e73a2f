package moxin.train.export;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The requests of MLflow's REST API 2.0 that a run takes.
///
/// See <https://mlflow.org/docs/latest/rest-api.html>.
final class MlflowClient implements AutoCloseable {
  /// The most metrics and the most parameters in one batch, by the API's limits.
  static final int MOST_METRICS = 1000;

  static final int MOST_PARAMETERS = 100;

  private static final Duration PATIENCE = Duration.ofSeconds(10);
  private static final String ABSENT = "RESOURCE_DOES_NOT_EXIST";
  private static final int MOST_REASON = 300;
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final HttpClient http;
  private final String root;
  private final Optional<String> authorization;

  /// @param server with or without a `/` at its end
  /// @param authorization the header of that name
  MlflowClient(URI server, Optional<String> authorization) {
    this.http = HttpClient.newBuilder().connectTimeout(PATIENCE).build();
    this.root = server.toString().replaceAll("/+$", "") + "/api/2.0/mlflow/";
    this.authorization = authorization;
  }

  /// A value at a step.
  record Metric(String key, double value, long timestamp, long step) {}

  /// The id of the experiment `name`, which is made if it is absent.
  String experiment(String name) throws IOException, InterruptedException {
    String query = "experiment_name=" + URLEncoder.encode(name, StandardCharsets.UTF_8);
    try {
      return text(get("experiments/get-by-name?" + query), "/experiment/experiment_id");
    } catch (MlflowException e) {
      if (!e.code().equals(ABSENT)) {
        throw e;
      }
    }
    return text(post("experiments/create", object("name", name)), "/experiment_id");
  }

  /// Makes a run and returns its id.
  ///
  /// @param time in milliseconds since 1970
  String createRun(String experiment, String name, long time, Map<String, String> tags)
      throws IOException, InterruptedException {
    ObjectNode body = object("experiment_id", experiment);
    body.put("run_name", name).put("start_time", time);
    pairs(body.putArray("tags"), tags);
    return text(post("runs/create", body), "/run/info/run_id");
  }

  /// Sends at most [#MOST_METRICS] metrics and [#MOST_PARAMETERS] parameters.
  void logBatch(String run, List<Metric> metrics, Map<String, String> parameters)
      throws IOException, InterruptedException {
    ObjectNode body = object("run_id", run);
    ArrayNode list = body.putArray("metrics");
    for (Metric metric : metrics) {
      list.addObject()
          .put("key", metric.key())
          .put("value", metric.value())
          .put("timestamp", metric.timestamp())
          .put("step", metric.step());
    }
    pairs(body.putArray("params"), parameters);
    post("runs/log-batch", body);
  }

  /// The run is under way, again or still.
  void running(String run) throws IOException, InterruptedException {
    post("runs/update", object("run_id", run).put("status", "RUNNING"));
  }

  /// The run ended.
  ///
  /// @param time in milliseconds since 1970
  void ended(String run, RunEnd end, long time) throws IOException, InterruptedException {
    post("runs/update", object("run_id", run).put("status", end.name()).put("end_time", time));
  }

  private JsonNode get(String path) throws IOException, InterruptedException {
    return send(request(path).GET().build());
  }

  private JsonNode post(String path, ObjectNode body) throws IOException, InterruptedException {
    return send(
        request(path)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
            .build());
  }

  private HttpRequest.Builder request(String path) {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(root + path)).timeout(PATIENCE);
    authorization.ifPresent(value -> request.header("Authorization", value));
    return request;
  }

  private JsonNode send(HttpRequest request) throws IOException, InterruptedException {
    HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
    JsonNode body = parse(response.body());
    if (response.statusCode() / 100 == 2) {
      return body;
    }
    String reason = body.path("message").asText(response.body()).replaceAll("\\s+", " ").strip();
    throw new MlflowException(
        response.statusCode(),
        body.path("error_code").asText(),
        request.uri().getPath()
            + ": "
            + response.statusCode()
            + " "
            + reason.substring(0, Math.min(reason.length(), MOST_REASON)));
  }

  /// An empty object for what is no JSON, as a proxy may answer.
  private static JsonNode parse(String body) {
    try {
      return JSON.readTree(body);
    } catch (JsonProcessingException e) {
      return MissingNode.getInstance();
    }
  }

  private static String text(JsonNode answer, String pointer) throws MlflowException {
    JsonNode found = answer.at(pointer);
    if (!found.isTextual() || found.asText().isEmpty()) {
      throw new MlflowException(200, "", "no MLflow server: the answer lacks " + pointer);
    }
    return found.asText();
  }

  private static ObjectNode object(String key, String value) {
    return JSON.createObjectNode().put(key, value);
  }

  private static void pairs(ArrayNode list, Map<String, String> pairs) {
    pairs.forEach((key, value) -> list.addObject().put("key", key).put("value", value));
  }

  @Override
  public void close() {
    http.shutdownNow();
  }
}
