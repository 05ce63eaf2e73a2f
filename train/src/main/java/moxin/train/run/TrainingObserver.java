package moxin.train.run;

import java.nio.file.Path;
import java.util.List;
import moxin.train.recipe.Phase;

/// Is told what happens in a run, on the training thread. A failure in it ends the run.
public interface TrainingObserver {

  /// A phase begins, or goes on after a resumption.
  ///
  /// @param steps how many steps it has in all
  default void onPhase(Phase phase, long steps) {}

  /// A step is done.
  default void onStep(StepMetrics metrics) {}

  /// The held-out loss was measured.
  default void onEvaluation(ValidationPoint point) {}

  /// A task was asked.
  default void onTask(TaskPoint point) {}

  /// A text was sampled.
  default void onSample(SampleText sample) {}

  /// A checkpoint is complete under its name.
  default void onCheckpoint(Path checkpoint) {}

  /// A step was bad, or the loss goes up; it stands in the log of incidents.
  default void onIncident(Incident incident) {}

  /// A step does not end. Called on a thread of its own, while the training thread hangs.
  default void onStall(Stall stall) {}

  /// An observer that tells all of `observers`, in their order.
  static TrainingObserver all(List<TrainingObserver> observers) {
    return new Observers(observers);
  }

  /// An observer that does nothing.
  static TrainingObserver none() {
    return new TrainingObserver() {};
  }
}
