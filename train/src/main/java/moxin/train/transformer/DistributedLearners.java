package moxin.train.transformer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import moxin.collective.Communicator;
import moxin.job.Progress;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.torch.LibTorch;
import moxin.train.JobSignal;
import moxin.train.Learner;
import moxin.train.LearnerFactory;
import moxin.train.ZeroStage;

/// Makes learners that all processes of a job are together. Process 0 trains with them as with any
/// other; the others call [#follow] and need no recipe, no data and no records.
///
/// Given the same batches, the learner computes the bits of [TorchLearner] with 1, 2 and 4
/// processes at every stage, and with other numbers the same up to the rounding of sums.
public final class DistributedLearners implements LearnerFactory {
  private final Communicator communicator;
  private final Orders orders;
  private final Settings settings;
  private final JobSignal signal;
  private final Progress progress;

  /// What a recipe or the machine decides.
  ///
  /// @param processors how many of this machine's processors each process uses
  /// @param updates with the seed of the learner in place of its own
  /// @param zLoss as [LearnerOptions#zLoss]
  public record Settings(
      ZeroStage stage,
      ActivationMemory activationMemory,
      WeightInitializer.OutputScale outputs,
      int processors,
      UpdateOptions updates,
      double zLoss) {

    /// With an optimizer that keeps everything in fp32, and without z-loss.
    public Settings(
        ZeroStage stage,
        ActivationMemory activationMemory,
        WeightInitializer.OutputScale outputs,
        int processors) {
      this(stage, activationMemory, outputs, processors, UpdateOptions.exact(), 0);
    }
  }

  /// Learners of all processes of `communicator`, which is borrowed; for process 0.
  ///
  /// @param signal raised when any process receives a signal, at the next exchange of losses
  public DistributedLearners(
      Communicator communicator, Settings settings, JobSignal signal, Progress progress) {
    if (communicator.rank() != 0) {
      throw new IllegalArgumentException("process 0 leads, this is " + communicator.rank());
    }
    this.communicator = communicator;
    this.orders = new Orders(communicator);
    this.settings = settings;
    this.signal = signal;
    this.progress = progress;
  }

  @Override
  public Learner create(ModelConfig config, DType computeType, long seed) {
    try {
      LibTorch.load(progress);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    NewLearner made =
        new NewLearner(
            computeType,
            settings.activationMemory(),
            settings.stage(),
            settings.updates().withSeed(seed),
            settings.zLoss(),
            config);
    String text = made.toText();
    int length = text.getBytes(StandardCharsets.UTF_8).length;
    orders.give(Orders.Kind.CREATE, length);
    orders.text(text, length);
    LeadingLearner learner =
        new LeadingLearner(
            config, orders, made.create(communicator, signal, settings.processors()));
    learner.initialize(new WeightInitializer(seed, settings.outputs()));
    return learner;
  }

  /// Tells the other processes that there is nothing more to do, after which they return from
  /// [#follow]; for process 0. Not called where anything failed: [Communicator#abort] ends them
  /// then.
  ///
  /// @param exitCode what [#follow] returns
  public static void finish(Communicator communicator, int exitCode) {
    new Orders(communicator).give(Orders.Kind.END, exitCode);
  }

  /// Takes part in the learners of process 0, until it says that it has finished; for all others.
  /// Returns the exit code that it says.
  ///
  /// @param processors how many of this machine's processors to use
  /// @param signal raised when any process receives a signal; what is raised here is told to all
  /// @throws IOException if libtorch's libraries cannot be extracted
  public static int follow(
      Communicator communicator, int processors, JobSignal signal, Progress progress)
      throws IOException {
    if (communicator.rank() == 0) {
      throw new IllegalArgumentException("process 0 leads");
    }
    LibTorch.load(progress);
    try (FollowingRank rank = new FollowingRank(communicator, processors, signal)) {
      return rank.run();
    }
  }
}
