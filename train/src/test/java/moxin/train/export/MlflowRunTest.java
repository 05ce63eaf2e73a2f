package moxin.train.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import moxin.job.Progress;
import moxin.job.RecipeFile;
import moxin.train.recipe.Mlflow;
import moxin.train.run.StepMetrics;
import moxin.train.run.TaskPoint;
import moxin.train.run.TaskScores;
import moxin.train.run.ValidationPoint;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The requests of MLflow's REST API 2.0 as its documentation has them, on a real server.
final class MlflowRunTest {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final MlflowRun.Pace QUICK =
      new MlflowRun.Pace(Duration.ofMillis(20), Duration.ofMillis(40), Duration.ofSeconds(10));
  private static final String RECIPE =
      "{name: tiny, seed: 3, training: {phases: [{name: a, steps: 9}]}}";

  @TempDir private Path run = Path.of("");
  private final List<Call> calls = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();
  private HttpServer server = none();
  private final AtomicInteger failures = new AtomicInteger();
  private volatile boolean experimentExists;

  /// A request that the server answered.
  private record Call(String path, @Nullable String authorization, JsonNode body) {}

  private static HttpServer none() {
    try {
      return HttpServer.create();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/prefix/api/2.0/mlflow/", this::answer);
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  @Test
  void aRunIsMadeAndToldOfParametersMetricsAndItsEnd() throws IOException {
    try (MlflowRun mlflow = open(Optional.of("Bearer secret"))) {
      mlflow.onStep(step(1, 2.5));
      mlflow.onStep(step(2, null));
      mlflow.onEvaluation(new ValidationPoint(2, "a", 3, 0.5, 1, 1e9));
      mlflow.onTask(
          new TaskPoint(
              2, "a", "t", 7, Map.of("acc", new TaskScores.Score(0.25, null, true)), 1e9));
      mlflow.ended(RunEnd.FINISHED);
    }
    assertThat(paths())
        .startsWith("GET experiments/get-by-name", "POST experiments/create", "POST runs/create")
        .endsWith("POST runs/update");
    assertThat(calls).allMatch(call -> "Bearer secret".equals(call.authorization()));
    assertThat(only("experiments/create").get("name").asText()).isEqualTo("tiny");
    JsonNode made = only("runs/create");
    assertThat(made.get("experiment_id").asText()).isEqualTo("17");
    assertThat(made.get("run_name").asText()).isEqualTo(run.getFileName().toString());
    assertThat(made.get("start_time").asLong()).isGreaterThan(1_500_000_000_000L);
    assertThat(made.get("tags").findValuesAsText("key")).contains("mlflow.source.git.commit");
    List<String> parameters = new ArrayList<>();
    List<String> metrics = new ArrayList<>();
    for (JsonNode batch : all("runs/log-batch")) {
      assertThat(batch.get("run_id").asText()).isEqualTo("r1");
      batch.get("params").forEach(p -> parameters.add(p.get("key") + "=" + p.get("value")));
      for (JsonNode metric : batch.get("metrics")) {
        metrics.add(
            metric.get("key").asText() + "@" + metric.get("step") + "=" + metric.get("value"));
        assertThat(metric.get("timestamp").asLong()).isEqualTo(1_000_000_000_000L);
      }
    }
    assertThat(parameters)
        .contains("\"seed\"=\"3\"", "\"training.phases.0.steps\"=\"9\"")
        .doesNotHaveDuplicates();
    assertThat(metrics)
        .contains(
            "train/loss@1=2.5",
            "train/lr@2=0.001",
            "validation/loss@2=3.0",
            "evaluation/t/acc@2=0.25")
        .doesNotHaveDuplicates()
        .noneMatch(metric -> metric.startsWith("train/loss@2"));
    JsonNode end = only("runs/update");
    assertThat(end.get("status").asText()).isEqualTo("FINISHED");
    assertThat(end.get("end_time").asLong()).isGreaterThan(1_500_000_000_000L);
    assertThat(notes).isEmpty();
  }

  @Test
  void aRunThatGoesOnGoesOnThere() throws IOException {
    experimentExists = true;
    try (MlflowRun mlflow = open(Optional.empty())) {
      mlflow.onStep(step(1, 2.5));
      mlflow.ended(RunEnd.KILLED);
    }
    try (MlflowRun mlflow = open(Optional.empty())) {
      mlflow.onStep(step(2, 2.0));
    }
    assertThat(all("runs/create")).hasSize(1);
    assertThat(all("experiments/create")).isEmpty();
    assertThat(all("runs/update").stream().map(body -> body.get("status").asText()))
        .containsExactly("KILLED", "RUNNING", "FAILED");
    Files.writeString(run.resolve(MlflowRun.FILE_NAME), "{");
    open(Optional.empty()).close();
    assertThat(all("runs/create")).hasSize(2);
  }

  @Test
  void whileTheServerFailsTheNumbersWaitAndOneLineSaysSo() throws Exception {
    failures.set(3);
    try (MlflowRun mlflow = open(Optional.empty())) {
      for (int i = 1; i <= 700; i++) {
        mlflow.onStep(step(i, 2.0));
      }
      await(() -> metrics() >= 700 * 4);
    }
    assertThat(metrics()).isEqualTo(700 * 4);
    assertThat(all("runs/log-batch")).allMatch(batch -> batch.get("metrics").size() <= 1000);
    assertThat(notes).singleElement().asString().contains("is not told", "503", "training goes on");
  }

  @Test
  void aServerThatIsNotThereEndsNothing() {
    server.stop(0);
    long begin = System.nanoTime();
    MlflowRun.Pace hasty =
        new MlflowRun.Pace(Duration.ofMillis(5), Duration.ofMillis(9), Duration.ofMillis(50));
    try (MlflowRun mlflow = new MlflowRun(settings(Optional.empty()), progress(), hasty)) {
      mlflow.onStep(step(1, 2.5));
    }
    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(9));
    assertThat(notes).hasSize(2);
    assertThat(notes.getFirst()).contains("is not told of the run");
    assertThat(notes.getLast()).contains("never got 4 numbers");
    assertThat(run.resolve(MlflowRun.FILE_NAME)).doesNotExist();
  }

  @Test
  void theHeaderIsThatOfMlflowsOwnClient() {
    assertThat(MlflowRun.authorization(Map.of())).isEmpty();
    assertThat(MlflowRun.authorization(Map.of("MLFLOW_TRACKING_TOKEN", "t"))).contains("Bearer t");
    assertThat(
            MlflowRun.authorization(
                Map.of("MLFLOW_TRACKING_USERNAME", "u", "MLFLOW_TRACKING_PASSWORD", "p")))
        .contains("Basic dTpw");
    for (String wrong : List.of("file:mlruns", "mlruns", "localhost:5000", "http://")) {
      assertThatThrownBy(() -> new Mlflow(wrong, null))
          .as(wrong)
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  private MlflowRun open(Optional<String> authorization) {
    return new MlflowRun(settings(authorization), progress(), QUICK);
  }

  private MlflowRun.Settings settings(Optional<String> authorization) {
    String uri = "http://127.0.0.1:" + server.getAddress().getPort() + "/prefix/";
    return new MlflowRun.Settings(
        new Mlflow(uri, null), authorization, RecipeFile.parse("tiny.yaml", RECIPE), run);
  }

  private Progress progress() {
    return new Progress() {
      @Override
      public Task start(String label, long total, String unit) {
        return Progress.silent().start(label, total, unit);
      }

      @Override
      public void note(String line) {
        synchronized (notes) {
          notes.add(line);
        }
      }
    };
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String path = exchange.getRequestURI().getPath().replaceFirst(".*/mlflow/", "");
      byte[] body = exchange.getRequestBody().readAllBytes();
      if (failures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
        send(exchange, 503, "<html>busy</html>");
        return;
      }
      synchronized (calls) {
        calls.add(
            new Call(
                exchange.getRequestMethod() + " " + path,
                exchange.getRequestHeaders().getFirst("Authorization"),
                JSON.readTree(body)));
      }
      switch (path) {
        case "experiments/get-by-name" -> {
          assertThat(exchange.getRequestURI().getQuery()).isEqualTo("experiment_name=tiny");
          if (experimentExists) {
            send(exchange, 200, "{\"experiment\": {\"experiment_id\": \"17\"}}");
          } else {
            send(
                exchange, 404, "{\"error_code\": \"RESOURCE_DOES_NOT_EXIST\", \"message\": \"x\"}");
          }
        }
        case "experiments/create" -> send(exchange, 200, "{\"experiment_id\": \"17\"}");
        case "runs/create" -> send(exchange, 200, "{\"run\": {\"info\": {\"run_id\": \"r1\"}}}");
        default -> send(exchange, 200, "{}");
      }
    }
  }

  private static void send(HttpExchange exchange, int status, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  private List<String> paths() {
    synchronized (calls) {
      return calls.stream().map(Call::path).toList();
    }
  }

  private List<JsonNode> all(String path) {
    synchronized (calls) {
      return calls.stream().filter(call -> call.path().endsWith(path)).map(Call::body).toList();
    }
  }

  private JsonNode only(String path) {
    assertThat(all(path)).hasSize(1);
    return all(path).getFirst();
  }

  private int metrics() {
    return all("runs/log-batch").stream().mapToInt(batch -> batch.get("metrics").size()).sum();
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long until = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (!condition.getAsBoolean() && System.nanoTime() < until) {
      Thread.sleep(5);
    }
  }

  private static StepMetrics step(long step, @Nullable Double loss) {
    return new StepMetrics(step, "p", loss, 1e-3, 1.0, step, 9, null, 1, 1e9, null, null);
  }
}
