package moxin.train.run;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.LongPredicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import moxin.job.AtomicDirectory;
import moxin.job.AtomicFile;
import moxin.job.Manifest;
import moxin.job.Progress;
import moxin.model.SafetensorsCheckpoint;

/// The checkpoints of a run, in Hugging Face layout with what it takes to go on. Each appears whole
/// or not at all; `latest` names the newest.
final class CheckpointStore {
  static final String STATE = "trainer_state.json";
  static final String OPTIMIZER = "optimizer.safetensors";
  static final String OPTIMIZER_INDEX = "optimizer" + SafetensorsCheckpoint.INDEX_SUFFIX;
  static final String LATEST = "latest";

  private static final Pattern NAME = Pattern.compile("step-([0-9]{6,15})");
  private static final JsonMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  private final Path directory;

  CheckpointStore(Path directory) {
    this.directory = directory;
  }

  /// Writes the files of a checkpoint into a directory.
  @FunctionalInterface
  interface Content {
    void writeTo(Path directory) throws IOException;
  }

  /// A complete checkpoint.
  record Found(Path path, TrainerState state) {}

  static String nameOf(long step) {
    return "step-%06d".formatted(step);
  }

  /// Writes the checkpoint of `step` and points `latest` to it.
  Path save(long step, Content content) throws IOException {
    Path target = pathOf(step);
    try (AtomicDirectory growing = AtomicDirectory.open(target)) {
      content.writeTo(growing.path());
      growing.commit();
    }
    point(target);
    return target;
  }

  /// The optimizer's state of a checkpoint, which one process wrote, or several.
  static SafetensorsCheckpoint openOptimizer(Path checkpoint) throws IOException {
    Path index = checkpoint.resolve(OPTIMIZER_INDEX);
    return SafetensorsCheckpoint.open(Files.exists(index) ? index : checkpoint.resolve(OPTIMIZER));
  }

  static void writeState(Path checkpoint, TrainerState state) throws IOException {
    AtomicFile.write(
        checkpoint.resolve(STATE),
        JSON.writerWithDefaultPrettyPrinter().writeValueAsString(state) + "\n");
  }

  /// The newest checkpoint whose files are those of its manifest. Others are passed over with a
  /// note.
  Optional<Found> newest(Progress progress) throws IOException {
    for (Path path : all().reversed()) {
      try {
        List<String> differences = Manifest.read(path).differences(path);
        if (differences.isEmpty()) {
          TrainerState state = JSON.readValue(path.resolve(STATE).toFile(), TrainerState.class);
          point(path);
          return Optional.of(new Found(path, state));
        }
        progress.note(path + " is passed over: " + differences.getFirst());
      } catch (IOException e) {
        progress.note(path + " is passed over: " + e.getMessage());
      }
    }
    return Optional.empty();
  }

  /// All checkpoints by step, complete or not.
  List<Path> all() throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(directory)) {
      return entries
          .filter(path -> NAME.matcher(path.getFileName().toString()).matches())
          .sorted(Comparator.comparingLong(CheckpointStore::stepOf))
          .toList();
    }
  }

  /// Where the checkpoint of `step` is, or would be.
  Path pathOf(long step) {
    return directory.resolve(nameOf(step));
  }

  /// The checkpoint of `step`.
  ///
  /// @throws IOException if it is not there, or not as it was written
  Found find(long step) throws IOException {
    Path path = pathOf(step);
    List<String> differences = Manifest.read(path).differences(path);
    if (!differences.isEmpty()) {
      throw new IOException(path + ": " + differences.getFirst());
    }
    return new Found(path, JSON.readValue(path.resolve(STATE).toFile(), TrainerState.class));
  }

  /// Removes the checkpoints of steps after `step`, and points `latest` to its own.
  void removeAfter(long step) throws IOException {
    for (Path path : all()) {
      if (stepOf(path) > step) {
        remove(path);
      }
    }
    point(pathOf(step));
  }

  /// Removes all but the newest `keepLast` of those whose step is not `kept`.
  void prune(int keepLast, LongPredicate kept) throws IOException {
    List<Path> candidates = new ArrayList<>(all());
    candidates.removeIf(path -> kept.test(stepOf(path)));
    for (Path path : candidates.subList(0, Math.max(0, candidates.size() - keepLast))) {
      remove(path);
    }
  }

  private static void remove(Path path) throws IOException {
    Path hidden = path.resolveSibling("." + path.getFileName() + ".removed");
    AtomicDirectory.deleteTree(hidden);
    Files.move(path, hidden, StandardCopyOption.ATOMIC_MOVE);
    AtomicDirectory.deleteTree(hidden);
  }

  /// Removes what killed runs left half-written or half-removed.
  void sweep() throws IOException {
    if (!Files.isDirectory(directory)) {
      return;
    }
    List<Path> leftovers;
    try (Stream<Path> entries = Files.list(directory)) {
      leftovers =
          entries
              .filter(
                  path ->
                      path.getFileName()
                          .toString()
                          .matches("\\.(step-[0-9]+|latest)\\.(partial-[0-9]+|removed)"))
              .toList();
    }
    for (Path leftover : leftovers) {
      if (Files.isDirectory(leftover, LinkOption.NOFOLLOW_LINKS)) {
        AtomicDirectory.deleteTree(leftover);
      } else {
        Files.delete(leftover);
      }
    }
  }

  private void point(Path checkpoint) throws IOException {
    Path link = directory.resolve(LATEST);
    Path growing = directory.resolve("." + LATEST + ".partial-" + ProcessHandle.current().pid());
    try {
      Files.deleteIfExists(growing);
      Files.createSymbolicLink(growing, checkpoint.getFileName());
      Files.move(growing, link, StandardCopyOption.ATOMIC_MOVE);
    } catch (UnsupportedOperationException | java.nio.file.FileSystemException e) {
      // No symbolic links here (as on Windows without the privilege): a file with the name.
      AtomicFile.write(link, checkpoint.getFileName() + "\n");
    }
  }

  private static long stepOf(Path checkpoint) {
    var matcher = NAME.matcher(checkpoint.getFileName().toString());
    return matcher.matches() ? Long.parseLong(matcher.group(1)) : -1;
  }
}
