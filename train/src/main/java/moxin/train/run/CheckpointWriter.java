package moxin.train.run;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import moxin.model.TensorView;
import moxin.train.AdaptingLearner;
import moxin.train.DistributedLearner;
import moxin.train.Learner;
import moxin.train.recipe.CheckpointWriting;
import org.jspecify.annotations.Nullable;

/// Writes checkpoints, off the training path unless the recipe says otherwise: weights and
/// optimizer state are copied while training waits, and a thread of its own writes the copy. There
/// is one copy, so the next checkpoint waits for the last to be written.
///
/// For one thread; the copy is the only thing that the writing thread shares with it.
final class CheckpointWriter implements AutoCloseable {
  private final Target target;
  private final CheckpointWriting writing;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().daemon().name("checkpoint-writer").factory());
  private final TensorCopy weights = new TensorCopy();
  private final TensorCopy optimizer = new TensorCopy();
  private final List<Path> announced = new ArrayList<>();
  private @Nullable Writing running;

  CheckpointWriter(Target target, CheckpointWriting writing) {
    this.target = target;
    this.writing = writing;
  }

  /// Where checkpoints go.
  @FunctionalInterface
  interface Target {

    /// Writes a checkpoint and returns where it is. On failure the ones before it are untouched.
    Path write(TrainerState state, LearnerSnapshot learner) throws IOException;
  }

  private record Writing(long step, Future<Path> result) {}

  /// Saves `learner` as it is now. In the background, returns as soon as it is copied. A learner
  /// that several processes are is written by all of them, in the foreground, and so is an adapter,
  /// which is small.
  ///
  /// @throws CheckpointWriteException if this one, in the foreground, or the last one, in the
  ///   background, could not be written
  void save(TrainerState state, Learner learner) throws IOException, InterruptedException {
    await();
    boolean itself = learner instanceof DistributedLearner || learner instanceof AdaptingLearner;
    if (writing == CheckpointWriting.FOREGROUND || itself) {
      try {
        announced.add(target.write(state, LearnerSnapshot.of(learner)));
      } catch (IOException e) {
        throw failed(state.step(), e);
      }
      return;
    }
    List<TensorView> weightCopy = weights.of(learner.weights());
    LearnerSnapshot copy =
        new LearnerSnapshot.Copied(weightCopy, optimizer.of(learner.optimizerState()));
    running = new Writing(state.step(), thread.submit(() -> target.write(state, copy)));
  }

  /// The checkpoints that are complete since the last call. Does not wait.
  ///
  /// @throws CheckpointWriteException if the last one could not be written
  List<Path> completed() throws IOException, InterruptedException {
    if (running != null && running.result().isDone()) {
      await();
    }
    List<Path> paths = List.copyOf(announced);
    announced.clear();
    return paths;
  }

  /// Waits until the last checkpoint is written.
  ///
  /// @throws CheckpointWriteException if it could not be
  void await() throws IOException, InterruptedException {
    Writing last = running;
    if (last == null) {
      return;
    }
    try {
      announced.add(last.result().get());
      running = null;
    } catch (ExecutionException e) {
      running = null;
      switch (e.getCause()) {
        case IOException failure -> throw failed(last.step(), failure);
        case RuntimeException failure -> throw failure;
        case Error failure -> throw failure;
        case null, default -> throw new IllegalStateException("a target throws nothing else", e);
      }
    }
  }

  /// Lets the last checkpoint be written, and frees the copy.
  @Override
  public void close() throws IOException {
    thread.close();
    weights.close();
    optimizer.close();
    try {
      await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static CheckpointWriteException failed(long step, IOException cause) {
    return new CheckpointWriteException(
        "the checkpoint after step "
            + step
            + " could not be written: "
            + reason(cause)
            + "; the ones before it are whole, go on from there with --resume",
        cause);
  }

  /// The words of a failure; where the system gave only a file, with what kind of failure it is.
  private static String reason(IOException cause) {
    boolean bare = cause instanceof FileSystemException file && file.getReason() == null;
    return bare
        ? cause.getMessage() + " (" + cause.getClass().getSimpleName() + ")"
        : "" + cause.getMessage();
  }
}
