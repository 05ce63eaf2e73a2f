package moxin.train.transformer;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Optional;
import moxin.collective.Communicator;
import moxin.train.JobSignal;
import org.jspecify.annotations.Nullable;

/// What the processes besides the leader do: as they are told, until it is over.
final class FollowingRank implements AutoCloseable {
  private static final ShardFiles.Source NOT_HERE =
      (name, _, _) -> {
        throw new IllegalStateException(name + " is given by process 0");
      };

  private final Communicator communicator;
  private final Orders orders;
  private final int processors;
  private final JobSignal signal;
  private @Nullable ShardedLearner current;

  FollowingRank(Communicator communicator, int processors, JobSignal signal) {
    this.communicator = communicator;
    this.orders = new Orders(communicator);
    this.processors = processors;
    this.signal = signal;
  }

  /// Returns the exit code when the leader says that the job is over.
  int run() {
    Orders.Order order = orders.take();
    while (order.kind() != Orders.Kind.END) {
      if (order.kind() == Orders.Kind.CREATE) {
        close();
        NewLearner made = NewLearner.parse(orders.text(null, order.integer(0)));
        current = made.create(communicator, signal, processors);
      } else {
        obey(order, learner());
      }
      order = orders.take();
    }
    return order.integer(0);
  }

  private void obey(Orders.Order order, ShardedLearner learner) {
    switch (order.kind()) {
      case ACCUMULATE ->
          learner.accumulate(orders.batch(null, order.integer(0), order.integer(1)), order.real(2));
      case EVALUATE -> learner.evaluate(orders.batch(null, order.integer(0), order.integer(1)));
      case NORM -> learner.gradientNorm();
      case STEP -> learner.step(orders.adamW(null), order.real(0));
      case DISCARD -> learner.discardGradients();
      case WEIGHTS, GRADIENTS, MOMENTS -> give(order.kind(), learner.files());
      case SET_WEIGHTS -> {
        learner.files().setWeights(NOT_HERE);
        learner.weightsChanged();
      }
      case SET_MOMENTS -> {
        learner.files().setOptimizerState(_ -> NOT_HERE);
        learner.setSteps(order.numbers()[0]);
      }
      case WRITE -> write(Path.of(orders.text(null, order.integer(0))), learner);
      case CLOSE -> close();
      case CREATE, END -> throw new IllegalStateException("handled before");
    }
  }

  private static void give(Orders.Kind kind, ShardFiles files) {
    try (Arena arena = Arena.ofShared()) {
      switch (kind) {
        case WEIGHTS -> files.weights(arena);
        case GRADIENTS -> files.gradients(arena);
        case MOMENTS -> files.moments(arena);
        default -> throw new IllegalArgumentException(kind + " asks for no tensors");
      }
    }
  }

  private static void write(Path directory, ShardedLearner learner) {
    try {
      learner.files().write(directory, learner.steps());
    } catch (IOException e) {
      // The leader has been told, and throws it where it can be handled.
      System.getLogger("moxin.train").log(System.Logger.Level.DEBUG, "not written", e);
    }
  }

  private ShardedLearner learner() {
    return Optional.ofNullable(current)
        .orElseThrow(() -> new IllegalStateException("told to train before there is a learner"));
  }

  @Override
  public void close() {
    if (current != null) {
      current.close();
      current = null;
    }
  }
}
