package moxin.release;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import moxin.job.BadInputException;
import moxin.job.Manifest;
import org.jspecify.annotations.Nullable;

/// The artefacts of a run, found by their manifests and not by their places.
///
/// @param artefacts every directory with a manifest, by path
record RunArtefacts(Path run, List<Artefact> artefacts) {
  /// What the manifest of a release says it is.
  static final String KIND = "release";

  private static final int MAX_DEPTH = 5;
  private static final Pattern STEP = Pattern.compile("step-([0-9]+)");

  /// A directory with its manifest.
  record Artefact(Path path, Manifest manifest) {

    /// The step in the name of a checkpoint, or -1.
    long step() {
      Matcher matcher = STEP.matcher(String.valueOf(path.getFileName()));
      return matcher.matches() ? Long.parseLong(matcher.group(1)) : -1;
    }
  }

  /// Finds the artefacts under `run` and under `others`, which hold what the run reads from
  /// elsewhere. Releases in them, with all that they hold, are no part of a run.
  ///
  /// @throws BadInputException if there is no run or a manifest cannot be read
  static RunArtefacts find(Path run, List<Path> others) throws IOException {
    if (!Files.isDirectory(run)) {
      throw new BadInputException(run + ": no such run directory");
    }
    List<Path> roots = new ArrayList<>();
    roots.add(run.toRealPath());
    for (Path other : others) {
      roots.add(other.toRealPath());
    }
    List<Artefact> found = new ArrayList<>();
    for (Path root : roots) {
      for (Path file : manifests(root)) {
        Path directory = file.toAbsolutePath().normalize().getParent();
        if (directory != null && found.stream().noneMatch(a -> a.path().equals(directory))) {
          found.add(new Artefact(directory, read(directory)));
        }
      }
    }
    List<Path> releases =
        found.stream().filter(a -> a.manifest().kind().equals(KIND)).map(Artefact::path).toList();
    found.removeIf(artefact -> releases.stream().anyMatch(artefact.path()::startsWith));
    return new RunArtefacts(run, List.copyOf(found));
  }

  /// The manifest of `directory`.
  ///
  /// @throws BadInputException if it is none
  static Manifest read(Path directory) throws IOException {
    try {
      Manifest manifest = Manifest.read(directory);
      requireWhole(manifest.kind(), manifest.created(), manifest.code());
      for (List<Manifest.Entry> entries : List.of(manifest.inputs(), manifest.outputs())) {
        entries.forEach(entry -> requireWhole(entry.name(), entry.sha256()));
      }
      return manifest;
    } catch (IOException | RuntimeException e) {
      String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      throw new BadInputException(
          directory.resolve(Manifest.FILE_NAME) + ": no manifest: " + message, e);
    }
  }

  private static void requireWhole(@Nullable Object... parts) {
    for (Object part : parts) {
      if (part == null) {
        throw new IllegalArgumentException("a part is missing");
      }
    }
  }

  /// The manifest files under `root`, by path, those of half-written directories left out.
  static List<Path> manifests(Path root) throws IOException {
    try (Stream<Path> walk = Files.walk(root, MAX_DEPTH)) {
      return walk.filter(file -> file.endsWith(Manifest.FILE_NAME))
          .filter(Files::isRegularFile)
          .filter(file -> !root.relativize(file).toString().matches("(.*[/\\\\])?\\..*"))
          .sorted()
          .toList();
    }
  }

  /// The first artefact of `kind`.
  Optional<Artefact> first(String kind) {
    return artefacts.stream().filter(a -> a.manifest().kind().equals(kind)).findFirst();
  }

  /// The whole checkpoints by step, the final one last.
  ///
  /// @throws BadInputException if there is none
  List<Artefact> checkpoints() throws IOException {
    List<Artefact> whole = new ArrayList<>();
    for (Artefact artefact : artefacts) {
      if (artefact.manifest().kind().equals("checkpoint")
          && artefact.manifest().differences(artefact.path()).isEmpty()) {
        whole.add(artefact);
      }
    }
    if (whole.isEmpty()) {
      throw new BadInputException(run + ": no whole checkpoint in it; has the run finished?");
    }
    whole.sort(Comparator.comparingLong(Artefact::step));
    return whole;
  }
}
