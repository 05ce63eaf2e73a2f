package moxin.train.export;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import moxin.job.AtomicFile;
import moxin.job.CodeVersion;
import moxin.job.Join;
import moxin.job.Progress;
import moxin.job.RecipeFile;
import moxin.train.recipe.Leaves;
import moxin.train.recipe.Mlflow;
import moxin.train.run.Incident;
import moxin.train.run.RunDirectory;
import moxin.train.run.StepMetrics;
import moxin.train.run.TaskPoint;
import moxin.train.run.TrainingObserver;
import moxin.train.run.ValidationPoint;
import org.jspecify.annotations.Nullable;

/// Tells an MLflow tracking server of a run: parameters are the recipe's values, metrics those that
/// TensorBoard shows. A run that goes on goes on there, by its id in `mlflow.json`.
///
/// Requests are made on a thread of their own and never hold up or end the training. While the
/// server cannot be reached the numbers wait, the newest of them, and it is tried again more and
/// more seldom; one line says so.
public final class MlflowRun implements TrainingObserver, AutoCloseable {
  /// The file in the run's directory that says which run of the server it is.
  public static final String FILE_NAME = "mlflow.json";

  private static final int MOST_WAITING = 200_000;
  private static final int MOST_PARAMETER = 500;
  private static final int MOST_KEY = 250;
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final Settings settings;
  private final MlflowClient client;
  private final Progress progress;
  private final Pace pace;
  private final Thread thread;
  private final Object lock = new Object();
  private final List<MlflowClient.Metric> waiting = new ArrayList<>();
  private boolean closed;
  private boolean warned;
  private long incidents;
  private RunEnd end = RunEnd.FAILED;
  private @Nullable String runId;

  /// What a server is told, and where.
  ///
  /// @param server to which requests go
  /// @param authorization the header that they carry, where it wants one
  /// @param recipe of the run
  /// @param run its directory
  public record Settings(
      Mlflow server, Optional<String> authorization, RecipeFile recipe, Path run) {}

  /// How often a server is asked.
  ///
  /// @param period between two batches, and before the first new attempt
  /// @param longest between two attempts
  /// @param patience how long the end of a run waits for the server
  record Pace(Duration period, Duration longest, Duration patience) {}

  private record Stored(String uri, String experiment, String runId) {}

  public MlflowRun(Settings settings, Progress progress) {
    this(
        settings,
        progress,
        new Pace(Duration.ofSeconds(5), Duration.ofMinutes(2), Duration.ofSeconds(20)));
  }

  MlflowRun(Settings settings, Progress progress, Pace pace) {
    this.settings = settings;
    this.progress = progress;
    this.pace = pace;
    this.client = new MlflowClient(URI.create(settings.server().uri()), settings.authorization());
    this.thread = Thread.ofPlatform().daemon().name("mlflow").start(this::work);
  }

  /// The header that MLflow's own client would send with the environment `env`: that of
  /// `MLFLOW_TRACKING_TOKEN`, or of `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD`.
  public static Optional<String> authorization(Map<String, String> env) {
    String token = env.get("MLFLOW_TRACKING_TOKEN");
    String user = env.get("MLFLOW_TRACKING_USERNAME");
    String password = env.get("MLFLOW_TRACKING_PASSWORD");
    if (user != null && password != null) {
      byte[] pair = (user + ":" + password).getBytes(StandardCharsets.UTF_8);
      return Optional.of("Basic " + Base64.getEncoder().encodeToString(pair));
    }
    return Optional.ofNullable(token).map(value -> "Bearer " + value);
  }

  @Override
  public void onStep(StepMetrics metrics) {
    add(metrics.step(), metrics.time(), metrics.scalars());
  }

  @Override
  public void onEvaluation(ValidationPoint point) {
    add(point.step(), point.time(), point.scalars());
  }

  @Override
  public void onTask(TaskPoint point) {
    add(point.step(), point.time(), point.scalars());
  }

  @Override
  public void onIncident(Incident incident) {
    incidents++;
    add(incident.step(), incident.time(), Map.of("train/incidents", (double) incidents));
  }

  /// How the run ended, for [#close]; failed unless told.
  public void ended(RunEnd how) {
    end = how;
  }

  private void add(long step, double time, Map<String, Double> scalars) {
    synchronized (lock) {
      scalars.forEach(
          (key, value) ->
              waiting.add(
                  new MlflowClient.Metric(
                      key.replaceAll("[^A-Za-z0-9_./ -]", "_"), value, (long) (1e3 * time), step)));
      if (waiting.size() > MOST_WAITING) {
        waiting.subList(0, waiting.size() - MOST_WAITING).clear();
      }
      if (waiting.size() >= MlflowClient.MOST_METRICS) {
        lock.notifyAll();
      }
    }
  }

  private void work() {
    Duration pause = pace.period();
    try {
      while (!await(pause)) {
        pause = attempt() ? pace.period() : longer(pause);
      }
      long until = System.nanoTime() + pace.patience().toNanos();
      while (!finish() && System.nanoTime() < until) {
        Thread.sleep(pace.period().dividedBy(5));
      }
    } catch (InterruptedException e) {
      warn("interrupted");
    }
  }

  private Duration longer(Duration pause) {
    Duration twice = pause.multipliedBy(2);
    return twice.compareTo(pace.longest()) < 0 ? twice : pace.longest();
  }

  /// Waits until it is time for a batch; true when the run is over.
  private boolean await(Duration pause) throws InterruptedException {
    long until = System.nanoTime() + pause.toNanos();
    synchronized (lock) {
      boolean patient = pause.compareTo(pace.period()) > 0;
      for (long left = pause.toMillis();
          left > 0 && !closed && (patient || waiting.size() < MlflowClient.MOST_METRICS);
          left = (until - System.nanoTime()) / 1_000_000) {
        lock.wait(left);
      }
      return closed;
    }
  }

  /// Sends what waits; false if the server cannot be reached now.
  private boolean attempt() throws InterruptedException {
    try {
      send();
      return true;
    } catch (MlflowException e) {
      warn(String.valueOf(e.getMessage()));
      if (!e.passes()) {
        synchronized (lock) {
          // What the server refuses it would refuse again.
          waiting.subList(0, Math.min(waiting.size(), MlflowClient.MOST_METRICS)).clear();
        }
      }
    } catch (IOException e) {
      warn(e.getClass().getSimpleName() + (e.getMessage() == null ? "" : ": " + e.getMessage()));
    }
    return false;
  }

  private void send() throws IOException, InterruptedException {
    String run = run();
    for (List<MlflowClient.Metric> batch = next(); !batch.isEmpty(); batch = next()) {
      client.logBatch(run, batch, Map.of());
      synchronized (lock) {
        // More may have come meanwhile, and the oldest have gone.
        waiting.removeAll(new HashSet<>(batch));
      }
    }
  }

  private List<MlflowClient.Metric> next() {
    synchronized (lock) {
      return List.copyOf(waiting.subList(0, Math.min(waiting.size(), MlflowClient.MOST_METRICS)));
    }
  }

  private boolean finish() throws InterruptedException {
    if (!attempt()) {
      return false;
    }
    try {
      client.ended(run(), end, System.currentTimeMillis());
      return true;
    } catch (IOException e) {
      warn(String.valueOf(e.getMessage()));
      return false;
    }
  }

  /// The id of the run, which is made or found the first time.
  private String run() throws IOException, InterruptedException {
    String known = runId;
    if (known == null) {
      Optional<String> earlier = earlier();
      known = earlier.isPresent() ? earlier.get() : create();
      runId = known;
    }
    return known;
  }

  private Optional<String> earlier() throws IOException, InterruptedException {
    Path file = settings.run().resolve(FILE_NAME);
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    try {
      Stored stored = JSON.readValue(file.toFile(), Stored.class);
      if (stored.uri().equals(settings.server().uri())
          && stored.experiment().equals(experiment())) {
        client.running(stored.runId());
        return Optional.of(stored.runId());
      }
    } catch (JsonProcessingException e) {
      progress.note(file + ": not what it should be; a new MLflow run is made");
    } catch (MlflowException e) {
      if (e.passes()) {
        throw e;
      }
      progress.note("MLflow no longer has this run; a new one is made: " + e.getMessage());
    }
    return Optional.empty();
  }

  private String create() throws IOException, InterruptedException {
    String name = String.valueOf(settings.run().toAbsolutePath().normalize().getFileName());
    Map<String, String> tags = new LinkedHashMap<>();
    tags.put("mlflow.source.name", "moxin");
    tags.put("mlflow.source.git.commit", CodeVersion.current().commit());
    tags.put("moxin.version", CodeVersion.current().version());
    String run =
        client.createRun(client.experiment(experiment()), name, System.currentTimeMillis(), tags);
    Map<String, String> batch = new LinkedHashMap<>();
    for (Map.Entry<String, String> leaf : Leaves.of(recipeTree()).entrySet()) {
      batch.put(cut(leaf.getKey(), MOST_KEY), cut(leaf.getValue(), MOST_PARAMETER));
      if (batch.size() == MlflowClient.MOST_PARAMETERS) {
        client.logBatch(run, List.of(), batch);
        batch.clear();
      }
    }
    client.logBatch(run, List.of(), batch);
    Files.createDirectories(settings.run());
    AtomicFile.write(
        settings.run().resolve(FILE_NAME),
        JSON.writeValueAsString(new Stored(settings.server().uri(), experiment(), run)) + "\n");
    return run;
  }

  /// The resolved recipe, where the run has written it by now.
  private JsonNode recipeTree() {
    Path resolved = new RunDirectory(settings.run()).recipe();
    return Files.isRegularFile(resolved)
        ? RecipeFile.read(resolved).tree()
        : settings.recipe().tree();
  }

  private String experiment() {
    String own = settings.server().experiment();
    return own == null ? settings.recipe().name() : own;
  }

  private static String cut(String text, int most) {
    return text.length() <= most ? text : text.substring(0, most - 1) + "…";
  }

  private void warn(String why) {
    if (!warned) {
      warned = true;
      progress.note(
          "MLflow at "
              + settings.server().uri()
              + " is not told of the run for now; training goes on: "
              + why);
    }
  }

  /// Sends what is left and tells the server how the run ended, if it can be reached soon.
  @Override
  public void close() {
    synchronized (lock) {
      closed = true;
      lock.notifyAll();
    }
    Join.uninterruptibly(thread);
    client.close();
    synchronized (lock) {
      if (!waiting.isEmpty()) {
        progress.note("MLflow never got " + waiting.size() + " numbers of this run");
      }
    }
  }
}
