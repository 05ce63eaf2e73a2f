package moxin.release;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import moxin.job.BadInputException;
import moxin.job.ContentHash;
import moxin.job.Manifest;
import moxin.job.Progress;
import moxin.release.mof.Component;
import moxin.release.mof.OpennessCard;
import moxin.release.mof.OpennessCardFile;
import moxin.release.mof.OpennessClass;
import moxin.release.mof.OpennessEvaluation;

/// What a release folder really contains: a component of its card counts only if its files are
/// there and are those of the manifest.
public final class ReleaseCheck {

  private ReleaseCheck() {}

  /// The verdict.
  ///
  /// @param claimed what the card says by itself
  /// @param verified the card without the components that the files do not bear out
  /// @param unproven why each of those does not count, one line each
  /// @param chain whether the manifests lead from the weights to the documents
  /// @param sha256 of the release's manifest, which stands for the whole folder: whoever has it
  ///   from elsewhere knows that this is the folder that was released
  public record Report(
      OpennessEvaluation claimed,
      OpennessEvaluation verified,
      List<String> unproven,
      ManifestChain.Report chain,
      String sha256) {

    public Report {
      unproven = List.copyOf(unproven);
    }

    /// The class that the files reach; empty for none.
    public Optional<OpennessClass> reached() {
      return verified.reached();
    }

    /// Whether every file is what the manifests say and every component of the card is there.
    public boolean genuine() {
      return unproven.isEmpty() && chain.differences().isEmpty();
    }

    /// What keeps the release from the next class; nothing if it is of the most open one.
    public List<Component> lacking() {
      for (OpennessClass target : OpennessClass.values()) {
        if (!verified.lacking(target).isEmpty()) {
          return verified.lacking(target);
        }
      }
      return List.of();
    }
  }

  /// Checks the release in `directory`, as [#check(Path, Progress)] does, in silence.
  ///
  /// @throws BadInputException if it is no release or its card or manifest cannot be read
  public static Report check(Path directory) throws IOException {
    return check(directory, Progress.silent());
  }

  /// Checks the release in `directory`.
  ///
  /// @throws BadInputException if it is no release or its card or manifest cannot be read
  public static Report check(Path directory, Progress progress) throws IOException {
    Path cardFile = directory.resolve(ReleaseFolder.CARD);
    if (!Files.isRegularFile(cardFile)) {
      throw new BadInputException(
          directory + ": no release folder, since it has no " + ReleaseFolder.CARD);
    }
    OpennessCard card = OpennessCardFile.read(cardFile);
    Manifest manifest = RunArtefacts.read(directory);
    long bytes = manifest.outputs().stream().mapToLong(Manifest.Entry::byteSize).sum();
    try (Progress.Task task = progress.start("Verify", Math.max(0, bytes), "bytes")) {
      FileHashes hashes = new FileHashes(directory, task);
      Set<String> bad = new TreeSet<>();
      Set<String> good = new TreeSet<>();
      for (Manifest.Entry output : manifest.outputs()) {
        (hashes.confirms(output.name(), output) ? good : bad).add(output.name());
      }
      List<String> unproven = new ArrayList<>();
      OpennessCard proven =
          card.filter(
              item -> {
                Optional<String> reason = unproven(item, good, bad);
                reason.ifPresent(line -> unproven.add(item.component().label() + ": " + line));
                return reason.isEmpty();
              });
      return new Report(
          OpennessEvaluation.of(card),
          OpennessEvaluation.of(proven),
          unproven,
          ManifestChain.verify(directory, hashes),
          ContentHash.ofFile(directory.resolve(Manifest.FILE_NAME)));
    }
  }

  private static Optional<String> unproven(
      OpennessCard.Item item, Set<String> good, Set<String> bad) {
    if (item.path().isEmpty()) {
      return Optional.of("the card names no files");
    }
    String path = item.path().get().replaceFirst("^\\./", "").replaceFirst("/$", "");
    Optional<String> differing = bad.stream().filter(name -> isIn(name, path)).findFirst();
    if (differing.isPresent()) {
      return Optional.of(differing.get() + " is missing or differs from the manifest");
    }
    return good.stream().anyMatch(name -> isIn(name, path))
        ? Optional.empty()
        : Optional.of(path + " is not among the files of the manifest");
  }

  private static boolean isIn(String name, String path) {
    return name.equals(path) || name.startsWith(path + "/");
  }
}
