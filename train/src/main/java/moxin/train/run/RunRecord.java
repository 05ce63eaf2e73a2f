package moxin.train.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import moxin.job.AtomicFile;
import moxin.job.Manifest;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.train.tensorboard.EventFileWriter;

/// What a run leaves on disk: its logs and checkpoints.
final class RunRecord implements AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final CheckpointStore store;
  private final FullDisk disk;
  private final Header header;
  private final RunDirectory run;
  private final JsonLog incidents;
  private Logs logs;

  private RunRecord(
      CheckpointStore store,
      FullDisk disk,
      Header header,
      RunDirectory run,
      JsonLog incidents,
      Logs logs) {
    this.store = store;
    this.disk = disk;
    this.header = header;
    this.run = run;
    this.incidents = incidents;
    this.logs = logs;
  }

  /// What is the same in every checkpoint.
  ///
  /// @param recipe resolved
  /// @param identity what a resumption must agree with
  record Header(Inputs inputs, JsonNode recipe, JsonNode identity) {}

  /// What grows with the steps, and loses those that a run goes back on.
  private record Logs(
      JsonLog metrics,
      JsonLog validation,
      JsonLog evaluation,
      JsonLog samples,
      JsonLog statistics,
      EventFileWriter events)
      implements AutoCloseable {

    static Logs open(RunDirectory run, long lastStep) throws IOException {
      return new Logs(
          JsonLog.open(run.metrics(), lastStep),
          JsonLog.open(run.validation(), lastStep),
          JsonLog.open(run.evaluation(), lastStep),
          JsonLog.open(run.samples(), lastStep),
          JsonLog.open(run.statistics(), lastStep),
          EventFileWriter.open(run.root(), lastStep));
    }

    void sync() throws IOException {
      metrics.sync();
      validation.sync();
      evaluation.sync();
      samples.sync();
      statistics.sync();
      events.sync();
    }

    @Override
    public void close() throws IOException {
      try (metrics;
          validation;
          evaluation;
          samples;
          statistics;
          events) {
        metrics.sync();
      }
    }
  }

  /// Opens the logs without what stands in them after `lastStep`, and with so many incidents.
  static RunRecord open(
      RunDirectory run,
      CheckpointStore store,
      FullDisk disk,
      Header header,
      long lastStep,
      int incidentCount)
      throws IOException {
    Logs logs = Logs.open(run, lastStep);
    return new RunRecord(
        store, disk, header, run, JsonLog.openFirst(run.incidents(), incidentCount), logs);
  }

  /// Removes what stands after `step`: a run goes on from there. No checkpoint may be under way.
  void returnTo(long step) throws IOException {
    logs.close();
    store.removeAfter(step);
    logs = Logs.open(run, step);
  }

  /// The checkpoint of `step`.
  CheckpointStore.Found checkpoint(long step) throws IOException {
    return store.find(step);
  }

  Header header() {
    return header;
  }

  void add(StepMetrics step) throws IOException {
    append("metrics", logs.metrics(), step);
    show(step.step(), step.time(), step.scalars());
  }

  void add(ValidationPoint point) throws IOException {
    append("validation", logs.validation(), point);
    show(point.step(), point.time(), point.scalars());
  }

  void add(TaskPoint point) throws IOException {
    append("evaluation", logs.evaluation(), point);
    show(point.step(), point.time(), point.scalars());
  }

  void add(SampleText sample) throws IOException {
    append("samples", logs.samples(), sample);
  }

  void add(StepStatistics statistics) throws IOException {
    append("statistics", logs.statistics(), statistics);
    show(statistics.step(), statistics.time(), statistics.scalars());
  }

  void add(Incident incident) throws IOException {
    append("incidents", incidents, incident);
    incidents.sync();
  }

  private void append(String what, JsonLog log, Object line) throws IOException {
    disk.attempt(
        what,
        () -> {
          log.add(line);
          return line;
        });
  }

  private void show(long step, double time, Map<String, Double> scalars) throws IOException {
    disk.attempt(
        "events",
        () -> {
          logs.events().write(step, time, scalars);
          return scalars;
        });
  }

  /// Writes a checkpoint, after the log lines that belong to it. The logs may grow meanwhile.
  Path save(TrainerState state, LearnerSnapshot learner) throws IOException {
    String what = "the checkpoint after step " + state.step();
    return disk.attempt(
        what,
        () -> {
          logs.sync();
          return store.save(state.step(), directory -> write(directory, state, learner));
        });
  }

  private void write(Path directory, TrainerState state, LearnerSnapshot learner)
      throws IOException {
    if (learner.adapting().isPresent()) {
      AdapterRun.write(learner.adapting().get(), header.recipe(), directory);
    } else {
      writeModel(directory, learner);
    }
    for (Path file : header.inputs().tokenizerFiles()) {
      Files.copy(file, directory.resolve(Inputs.nameInCheckpoint(file)));
    }
    CheckpointStore.writeState(directory, state);
    Manifest.write(directory, "checkpoint", header.recipe(), header.inputs().entries());
  }

  private void writeModel(Path directory, LearnerSnapshot learner) throws IOException {
    ModelConfig config = header.inputs().config();
    learner.writeTo(directory);
    JsonNode master = header.recipe().path("training").path("optimizer").path("masterWeights");
    DType type = master.asText().equals("none") ? DType.BF16 : DType.F32;
    ModelConfigFile.write(directory, config, type);
    AtomicFile.write(directory.resolve("generation_config.json"), generationConfig(config));
  }

  private static String generationConfig(ModelConfig config) {
    ObjectNode node = JSON.createObjectNode();
    config.bosTokenId().ifPresent(id -> node.put("bos_token_id", id));
    if (config.eosTokenIds().size() == 1) {
      node.put("eos_token_id", config.eosTokenIds().getFirst());
    } else if (!config.eosTokenIds().isEmpty()) {
      config.eosTokenIds().forEach(node.putArray("eos_token_id")::add);
    }
    return node.toPrettyString() + "\n";
  }

  @Override
  public void close() throws IOException {
    try (incidents) {
      logs.close();
    }
  }
}
