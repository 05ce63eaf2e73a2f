package moxin.release;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Where a release finds what the run itself does not hold.
///
/// @param sources the checkout whose code made the run; without one the folder only names its
///   version, and no component of code counts
/// @param artefacts further directories with manifests: a corpus, tokens or tokenizer that the run
///   read from elsewhere
public record ReleaseOptions(Optional<Path> sources, List<Path> artefacts) {

  public ReleaseOptions {
    artefacts = List.copyOf(artefacts);
  }

  /// The run alone, with the code of the checkout that the running program was started from.
  public static ReleaseOptions ofRunningProgram() {
    return new ReleaseOptions(
        Optional.ofNullable(System.getProperty("moxin.home")).map(Path::of), List.of());
  }

  /// These options with further artefacts.
  public ReleaseOptions withArtefacts(List<Path> further) {
    return new ReleaseOptions(sources, further);
  }
}
