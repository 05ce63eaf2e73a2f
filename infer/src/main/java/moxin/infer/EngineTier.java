package moxin.infer;

import java.util.Optional;

/// Which kernels an engine would compute with on this machine.
///
/// @param kernels such as `assembled-avx512-vnni-bf16`
/// @param fallbackReason why these are not the fastest or not the ones asked for
public record EngineTier(String kernels, Optional<String> fallbackReason) {

  /// What `choice` comes to here.
  public static EngineTier of(KernelChoice choice) {
    KernelSelection selection = KernelSelection.of(choice);
    return new EngineTier(selection.matrices().name(), selection.fallbackReason());
  }
}
