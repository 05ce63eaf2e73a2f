package moxin.train.transformer;

import java.util.List;
import moxin.collective.Communicator;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.torch.Device;
import moxin.train.JobSignal;
import moxin.train.ZeroStage;

/// A learner that every process is to make, as the leader describes it to the others.
record NewLearner(DType type, ActivationMemory memory, ZeroStage stage, ModelConfig config) {

  /// The description as text.
  String toText() {
    return String.join(
        "\n",
        List.of(
            type.name(), memory.name(), stage.name(), ModelConfigFile.toJson(config, DType.F32)));
  }

  /// What [#toText] was made of.
  static NewLearner parse(String text) {
    List<String> parts = List.of(text.split("\n", 4));
    return new NewLearner(
        DType.valueOf(parts.get(0)),
        ActivationMemory.valueOf(parts.get(1)),
        ZeroStage.valueOf(parts.get(2)),
        ModelConfigFile.parse("the leader's configuration", parts.get(3)));
  }

  /// Makes this process's share of it.
  ///
  /// @param signal what is told to the others, and raised when they tell of one
  /// @param processors how many of this machine's to use
  ShardedLearner create(Communicator communicator, JobSignal signal, int processors) {
    return new ShardedLearner(
        config,
        new LearnerOptions(type, Device.CPU, processors, memory),
        Execution.on(Device.CPU, processors),
        stage,
        communicator,
        signal);
  }
}
