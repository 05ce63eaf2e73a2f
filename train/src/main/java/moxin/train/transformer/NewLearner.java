package moxin.train.transformer;

import java.util.List;
import moxin.collective.Communicator;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.torch.Device;
import moxin.train.JobSignal;
import moxin.train.MasterWeights;
import moxin.train.OptimizerPlace;
import moxin.train.OptimizerStates;
import moxin.train.ZeroStage;

/// A learner that every process is to make, as the leader describes it to the others.
record NewLearner(
    DType type,
    ActivationMemory memory,
    ZeroStage stage,
    UpdateOptions updates,
    double zLoss,
    ModelConfig config) {
  private static final int LINES = 9;

  /// The description as text.
  String toText() {
    return String.join(
        "\n",
        List.of(
            type.name(),
            memory.name(),
            stage.name(),
            updates.states().name(),
            updates.master().name(),
            updates.place().name(),
            Long.toString(updates.seed()),
            Double.toString(zLoss),
            ModelConfigFile.toJson(config, DType.F32)));
  }

  /// What [#toText] was made of.
  static NewLearner parse(String text) {
    List<String> parts = List.of(text.split("\n", LINES));
    return new NewLearner(
        DType.valueOf(parts.get(0)),
        ActivationMemory.valueOf(parts.get(1)),
        ZeroStage.valueOf(parts.get(2)),
        new UpdateOptions(
            OptimizerStates.valueOf(parts.get(3)),
            MasterWeights.valueOf(parts.get(4)),
            OptimizerPlace.valueOf(parts.get(5)),
            Long.parseLong(parts.get(6))),
        Double.parseDouble(parts.get(7)),
        ModelConfigFile.parse("the leader's configuration", parts.get(8)));
  }

  /// Makes this process's share of it.
  ///
  /// @param signal what is told to the others, and raised when they tell of one
  /// @param processors how many of this machine's to use
  ShardedLearner create(Communicator communicator, JobSignal signal, int processors) {
    return new ShardedLearner(
        config,
        new LearnerOptions(type, Device.CPU, processors, memory, updates, zLoss),
        Execution.on(Device.CPU, processors),
        stage,
        communicator,
        signal);
  }
}
