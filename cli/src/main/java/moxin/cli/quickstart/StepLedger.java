package moxin.cli.quickstart;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import moxin.job.AtomicFile;
import moxin.job.ContentHash;
import moxin.job.Manifest;

/// Which steps of a run are done, and from what: `steps.json` in the run's directory.
///
/// A step is done when its key, a hash over everything that its result depends on, is the recorded
/// one, and its artefact directory is whole by its own manifest.
final class StepLedger {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final Path file;
  private final Map<String, Entry> entries;

  private StepLedger(Path file, Map<String, Entry> entries) {
    this.file = file;
    this.entries = entries;
  }

  /// What a finished step was made from, and the manifest it left.
  record Entry(String key, String manifestSha256) {}

  /// The ledger of `run`, empty if it has none. A ledger that cannot be read counts as empty: its
  /// steps are made again.
  static StepLedger open(Path run) throws IOException {
    Path file = run.resolve("steps.json");
    Map<String, Entry> entries = new TreeMap<>();
    if (Files.exists(file)) {
      try {
        entries.putAll(JSON.readValue(file.toFile(), new TypeReference<Map<String, Entry>>() {}));
      } catch (JsonProcessingException e) {
        entries.clear();
      }
    }
    return new StepLedger(file, entries);
  }

  /// The key of a step that depends on `parts`, in this order.
  static String key(List<String> parts) {
    StringBuilder text = new StringBuilder();
    for (String part : parts) {
      text.append(part.length()).append(':').append(part).append('\n');
    }
    return ContentHash.of(text.toString());
  }

  /// Whether `step` was made from `key` and `artefact` is still whole.
  boolean isDone(String step, String key, Path artefact) throws IOException {
    Entry entry = entries.get(step);
    Path manifest = artefact.resolve(Manifest.FILE_NAME);
    return entry != null
        && entry.key().equals(key)
        && Files.isRegularFile(manifest)
        && ContentHash.ofFile(manifest).equals(entry.manifestSha256())
        && Manifest.read(artefact).differences(artefact).isEmpty();
  }

  /// Records that `step` was made from `key` and left `artefact`, which has its manifest.
  void done(String step, String key, Path artefact) throws IOException {
    entries.put(step, new Entry(key, ContentHash.ofFile(artefact.resolve(Manifest.FILE_NAME))));
    AtomicFile.write(
        file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(entries) + "\n");
  }
}
