package moxin.train.run;

import java.nio.file.Path;
import java.util.List;
import moxin.train.recipe.Phase;

/// Several observers, told in their order.
record Observers(List<TrainingObserver> all) implements TrainingObserver {

  Observers {
    all = List.copyOf(all);
  }

  @Override
  public void onPhase(Phase phase, long steps) {
    all.forEach(observer -> observer.onPhase(phase, steps));
  }

  @Override
  public void onStep(StepMetrics metrics) {
    all.forEach(observer -> observer.onStep(metrics));
  }

  @Override
  public void onEvaluation(ValidationPoint point) {
    all.forEach(observer -> observer.onEvaluation(point));
  }

  @Override
  public void onTask(TaskPoint point) {
    all.forEach(observer -> observer.onTask(point));
  }

  @Override
  public void onSample(SampleText sample) {
    all.forEach(observer -> observer.onSample(sample));
  }

  @Override
  public void onCheckpoint(Path checkpoint) {
    all.forEach(observer -> observer.onCheckpoint(checkpoint));
  }

  @Override
  public void onIncident(Incident incident) {
    all.forEach(observer -> observer.onIncident(incident));
  }

  @Override
  public void onStall(Stall stall) {
    all.forEach(observer -> observer.onStall(stall));
  }
}
