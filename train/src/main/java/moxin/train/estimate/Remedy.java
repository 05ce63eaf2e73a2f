package moxin.train.estimate;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.train.MasterWeights;
import moxin.train.OptimizerPlace;
import moxin.train.OptimizerStates;
import moxin.train.recipe.Activations;

/// A change that makes a run fit, as a user would ask for it.
///
/// @param placement with it
/// @param rowsDivisor by which every phase's micro-batch is divided, and its accumulation
///   multiplied
record Remedy(Placement placement, int rowsDivisor, List<String> changes) {
  private static final int MOST_DEVICES = 1 << 12;

  /// The least change that makes all phases fit: recomputation before smaller micro-batches,
  /// dividing among the devices at hand before a narrower optimizer, that before the host's memory,
  /// which is slow, and all of it before more devices.
  static Optional<Remedy> find(
      ModelConfig config, List<PhaseLength> phases, Placement placement, Machine machine) {
    int largest = phases.stream().mapToInt(phase -> phase.phase().batchSize()).max().orElse(1);
    for (Placement candidate : placements(placement)) {
      for (int divisor = 1; divisor <= largest; divisor *= 2) {
        for (Activations activations : Activations.values()) {
          Placement changed = candidate.withActivations(activations);
          boolean more = activations.compareTo(placement.activations()) >= 0;
          if (more && fits(config, phases, changed, divisor, machine)) {
            return Optional.of(new Remedy(changed, divisor, changes(placement, changed, divisor)));
          }
        }
      }
    }
    return Optional.empty();
  }

  private static List<Placement> placements(Placement placement) {
    List<Placement> placements = new ArrayList<>();
    placements.add(placement);
    for (int stage = placement.zeroStage() + 1; stage <= 3 && placement.devices() > 1; stage++) {
      placements.add(placement.withDevices(placement.devices(), stage));
    }
    Placement divided = placements.getLast();
    for (OptimizerStates states : OptimizerStates.values()) {
      if (states.compareTo(placement.moments()) > 0) {
        placements.add(divided.withMoments(states));
      }
    }
    if (placement.computeType() == DType.BF16) {
      placements.add(placements.getLast().withMaster(MasterWeights.NONE));
    }
    placements.add(divided.withPlace(OptimizerPlace.HOST));
    for (int devices = placement.devices(); devices <= MOST_DEVICES; devices *= 2) {
      for (int stage = Math.max(1, placement.zeroStage()); stage <= 3 && devices > 1; stage++) {
        placements.add(placement.withDevices(devices, stage));
      }
    }
    return placements;
  }

  private static boolean fits(
      ModelConfig config,
      List<PhaseLength> phases,
      Placement placement,
      int divisor,
      Machine machine) {
    return phases.stream()
        .map(PhaseLength::phase)
        .allMatch(
            phase ->
                machine.holds(
                    DeviceMemory.of(
                        config,
                        Math.ceilDiv(phase.batchSize(), divisor),
                        phase.contextLength(),
                        placement)));
  }

  private static List<String> changes(Placement before, Placement after, int divisor) {
    List<String> changes = new ArrayList<>();
    if (after.activations() != before.activations()) {
      changes.add(
          "training.memory.activations: " + after.activations().name().toLowerCase(Locale.ROOT));
    }
    if (after.moments() != before.moments()) {
      changes.add("training.optimizer.states: " + after.moments().name().toLowerCase(Locale.ROOT));
    }
    if (after.master() != before.master()) {
      changes.add("training.optimizer.masterWeights: none");
    }
    if (after.place() != before.place()) {
      changes.add("training.memory.offload: optimizer");
    }
    if (divisor > 1) {
      changes.add("batchSize divided by " + divisor + " and accumulationSteps multiplied by it");
    }
    if (after.devices() != before.devices() || after.zeroStage() != before.zeroStage()) {
      changes.add("ZeRO stage " + after.zeroStage() + " on " + after.devices() + " devices");
    }
    return changes;
  }

  @Override
  public String toString() {
    return String.join(", ", changes);
  }
}
