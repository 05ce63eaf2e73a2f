package moxin.train.transformer;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import moxin.collective.Traffic;
import moxin.job.Progress;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.train.JobSignal;
import moxin.train.Learner;
import moxin.train.ZeroStage;
import moxin.train.transformer.WeightInitializer.OutputScale;

/// A distributed learner whose processes are threads.
final class ThreadJob {
  static final long SEED = 3;

  private final List<ThreadCommunicator> communicators;

  private ThreadJob(int ranks) {
    this.communicators = ThreadCommunicator.job(ranks);
  }

  /// What all processes have sent so far, by one of the counts.
  long sent(ToLongFunction<Traffic> count) {
    return communicators.stream().map(ThreadCommunicator::traffic).mapToLong(count).sum();
  }

  /// Runs `work` on the leader of a job of `ranks`.
  static <T> T run(
      ModelConfig config,
      ZeroStage stage,
      int ranks,
      DType type,
      ActivationMemory memory,
      Function<Learner, T> work)
      throws Exception {
    return run(config, stage, ranks, type, memory, (_, learner) -> work.apply(learner));
  }

  /// What a job is to do.
  @FunctionalInterface
  interface Work<T> {
    T apply(ThreadJob job, Learner learner);
  }

  /// As above, for work that looks at the traffic.
  static <T> T run(
      ModelConfig config,
      ZeroStage stage,
      int ranks,
      DType type,
      ActivationMemory memory,
      Work<T> work)
      throws Exception {
    return run(config, ranks, new Plan(stage, type, memory, UpdateOptions.exact(), 0), work);
  }

  /// How a job computes.
  record Plan(
      ZeroStage stage, DType type, ActivationMemory memory, UpdateOptions updates, double zLoss) {}

  /// As above, as `plan` says.
  static <T> T run(ModelConfig config, int ranks, Plan plan, Work<T> work) throws Exception {
    ThreadJob job = new ThreadJob(ranks);
    try (ExecutorService threads = Executors.newCachedThreadPool()) {
      List<Future<?>> followers = new ArrayList<>();
      for (ThreadCommunicator communicator : job.communicators.subList(1, ranks)) {
        followers.add(
            threads.submit(
                () -> {
                  DistributedLearners.follow(communicator, 1, new JobSignal(), Progress.silent());
                  return true;
                }));
      }
      DistributedLearners learners =
          new DistributedLearners(
              job.communicators.getFirst(),
              new DistributedLearners.Settings(
                  plan.stage(),
                  plan.memory(),
                  OutputScale.BY_DEPTH,
                  1,
                  plan.updates(),
                  plan.zLoss()),
              new JobSignal(),
              Progress.silent());
      T result;
      try (Learner learner = learners.create(config, plan.type(), SEED)) {
        result = work.apply(job, learner);
      }
      DistributedLearners.finish(job.communicators.getFirst(), 0);
      for (Future<?> follower : followers) {
        follower.get();
      }
      return result;
    }
  }
}
