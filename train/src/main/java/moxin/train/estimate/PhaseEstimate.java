package moxin.train.estimate;

import java.util.EnumMap;
import java.util.Map;
import moxin.model.ModelConfig;
import moxin.train.recipe.Activations;
import moxin.train.recipe.Phase;
import org.jspecify.annotations.Nullable;

/// What one phase takes.
///
/// @param tokens positions of all steps
/// @param flopsPerToken forward and backward
/// @param flops in all
/// @param seconds at the machine's MFU on all devices; null where its peak is not known
/// @param memory of one device
/// @param memoryByActivations the same for each choice of what is kept
public record PhaseEstimate(
    String name,
    int contextLength,
    int batchSize,
    int accumulationSteps,
    long steps,
    long tokens,
    ModelFlops flopsPerToken,
    double flops,
    @Nullable Double seconds,
    DeviceMemory memory,
    Map<Activations, DeviceMemory> memoryByActivations) {

  public PhaseEstimate {
    memoryByActivations = Map.copyOf(memoryByActivations);
  }

  static PhaseEstimate of(
      ModelConfig config, PhaseLength length, Placement placement, Machine machine) {
    Phase phase = length.phase();
    ModelFlops perToken = ModelFlops.perToken(config, phase.contextLength());
    double flops = perToken.total() * length.tokens();
    Map<Activations, DeviceMemory> byActivations = new EnumMap<>(Activations.class);
    for (Activations activations : Activations.values()) {
      byActivations.put(activations, memory(config, phase, placement.withActivations(activations)));
    }
    return new PhaseEstimate(
        phase.name(),
        phase.contextLength(),
        phase.batchSize(),
        phase.accumulationSteps(),
        length.steps(),
        length.tokens(),
        perToken,
        flops,
        machine.seconds(flops, placement.devices()),
        memory(config, phase, placement),
        byActivations);
  }

  static DeviceMemory memory(ModelConfig config, Phase phase, Placement placement) {
    return DeviceMemory.of(config, phase.batchSize(), phase.contextLength(), placement);
  }
}
