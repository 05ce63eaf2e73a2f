package moxin.train.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import moxin.job.AtomicFile;
import moxin.job.Manifest;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.SafetensorsWriter;
import moxin.train.AdaptingLearner;
import moxin.train.DistributedLearner;
import moxin.train.Learner;
import moxin.train.tensorboard.EventFileWriter;

/// What a run leaves on disk: its logs and checkpoints.
final class RunRecord implements AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final CheckpointStore store;
  private final Header header;
  private final JsonLog metrics;
  private final JsonLog validation;
  private final JsonLog samples;
  private final EventFileWriter events;

  private RunRecord(
      CheckpointStore store,
      Header header,
      JsonLog metrics,
      JsonLog validation,
      JsonLog samples,
      EventFileWriter events) {
    this.store = store;
    this.header = header;
    this.metrics = metrics;
    this.validation = validation;
    this.samples = samples;
    this.events = events;
  }

  /// What is the same in every checkpoint.
  ///
  /// @param recipe resolved
  /// @param identity what a resumption must agree with
  record Header(Inputs inputs, JsonNode recipe, JsonNode identity) {}

  /// Opens the logs without what stands in them after `lastStep`.
  static RunRecord open(RunDirectory run, CheckpointStore store, Header header, long lastStep)
      throws IOException {
    return new RunRecord(
        store,
        header,
        JsonLog.open(run.metrics(), lastStep),
        JsonLog.open(run.validation(), lastStep),
        JsonLog.open(run.samples(), lastStep),
        EventFileWriter.open(run.root(), lastStep));
  }

  Header header() {
    return header;
  }

  void add(StepMetrics step) throws IOException {
    metrics.add(step);
    events.write(step.step(), step.time(), step.scalars());
  }

  void add(ValidationPoint point) throws IOException {
    validation.add(point);
    events.write(point.step(), point.time(), point.scalars());
  }

  void add(SampleText sample) throws IOException {
    samples.add(sample);
  }

  /// Writes a checkpoint, after the log lines that belong to it.
  Path save(TrainerState state, Learner learner) throws IOException {
    metrics.sync();
    validation.sync();
    samples.sync();
    events.sync();
    return store.save(state.step(), directory -> write(directory, state, learner));
  }

  void prune(int keepLast, List<Long> kept) throws IOException {
    store.prune(keepLast, kept);
  }

  private void write(Path directory, TrainerState state, Learner learner) throws IOException {
    if (learner instanceof AdaptingLearner adapting) {
      AdapterRun.write(adapting, header.recipe(), directory);
    } else {
      writeModel(directory, learner);
    }
    for (Path file : header.inputs().tokenizerFiles()) {
      Files.copy(file, directory.resolve(Inputs.nameInCheckpoint(file)));
    }
    CheckpointStore.writeState(directory, state);
    Manifest.write(directory, "checkpoint", header.recipe(), header.inputs().entries());
  }

  private void writeModel(Path directory, Learner learner) throws IOException {
    ModelConfig config = header.inputs().config();
    if (learner instanceof DistributedLearner distributed) {
      distributed.writeCheckpoint(directory);
    } else {
      Map<String, String> metadata = Map.of("format", "pt");
      SafetensorsWriter.write(
          directory.resolve(SafetensorsCheckpoint.FILE_NAME), learner.weights(), metadata);
      SafetensorsWriter.write(
          directory.resolve(CheckpointStore.OPTIMIZER), learner.optimizerState(), metadata);
    }
    ModelConfigFile.write(directory, config, DType.F32);
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
    try (metrics;
        validation;
        samples;
        events) {
      metrics.sync();
    }
  }
}
