package moxin.train.estimate;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import moxin.model.ModelConfig;
import org.jspecify.annotations.Nullable;

/// What a run takes, and whether it fits.
///
/// @param tokens of all phases
/// @param flops of all phases
/// @param seconds at the machine's MFU on all devices; null where its peak is not known
/// @param deviceHours on all devices, null likewise
/// @param cost in US dollars, null likewise and where the price is not known
/// @param refusal why the run cannot be, and what could; empty if it fits
public record RunEstimate(
    long parameters,
    Placement placement,
    Machine machine,
    List<PhaseEstimate> phases,
    long tokens,
    double flops,
    @Nullable Double seconds,
    @Nullable Double deviceHours,
    @Nullable Double cost,
    Optional<String> refusal) {

  public RunEstimate {
    phases = List.copyOf(phases);
  }

  /// The estimate of `phases` on devices of `machine`.
  public static RunEstimate of(
      ModelConfig config, List<PhaseLength> phases, Placement placement, Machine machine) {
    List<PhaseEstimate> estimates =
        phases.stream().map(phase -> PhaseEstimate.of(config, phase, placement, machine)).toList();
    double flops = estimates.stream().mapToDouble(PhaseEstimate::flops).sum();
    Double seconds = machine.seconds(flops, placement.devices());
    Double hours = seconds == null ? null : seconds * placement.devices() / 3600;
    return new RunEstimate(
        config.parameterCount(),
        placement,
        machine,
        estimates,
        estimates.stream().mapToLong(PhaseEstimate::tokens).sum(),
        flops,
        seconds,
        hours,
        machine.cost(hours),
        refusal(config, phases, estimates, placement, machine));
  }

  private static Optional<String> refusal(
      ModelConfig config,
      List<PhaseLength> phases,
      List<PhaseEstimate> estimates,
      Placement placement,
      Machine machine) {
    for (PhaseEstimate phase : estimates) {
      if (!machine.holds(phase.memory())) {
        return Optional.of(
            String.format(
                Locale.ROOT,
                "phase %s needs %.1f GiB on each of %d device%s with %.1f GiB, of which %.0f %% are"
                    + " usable; %s",
                phase.name(),
                phase.memory().total() / (double) (1 << 30),
                placement.devices(),
                placement.devices() == 1 ? "" : "s",
                machine.memoryBytes() / (1 << 30),
                100 * Machine.USABLE,
                Remedy.find(config, phases, placement, machine)
                    .map(remedy -> "it fits with " + remedy)
                    .orElse("nothing tried makes it fit")));
      }
    }
    return Optional.empty();
  }
}
