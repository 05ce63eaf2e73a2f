package moxin.train.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import moxin.job.CodeVersion;
import moxin.job.ContentHash;
import moxin.job.Manifest;
import org.jspecify.annotations.Nullable;

/// Where the result comes from: manifests with their hashes, the inputs of the newest checkpoint,
/// code and machine.
final class ProvenanceSection {
  private static final int MOST_INPUTS = 100;
  private static final int MOST_ARTEFACTS = 40;

  private ProvenanceSection() {}

  static void write(Markup page, RunFiles run) throws IOException {
    Map<String, Manifest> manifests = manifests(run);
    if (manifests.isEmpty()) {
      return;
    }
    page.section("Provenance");
    page.leaf(
        "p",
        "Each manifest lists what its directory was made from and what is in it, by SHA-256.",
        "class",
        "muted");
    page.table("manifest", "of a", "made", "by Moxin", "SHA-256 of the manifest").open("tbody");
    for (Map.Entry<String, Manifest> entry : manifests.entrySet()) {
      Manifest manifest = entry.getValue();
      Path file = run.root().resolve(entry.getKey()).resolve(Manifest.FILE_NAME);
      page.open("tr").leaf("td", entry.getKey().isEmpty() ? "." : entry.getKey());
      page.leaf("td", text(manifest.kind()));
      page.leaf("td", text(manifest.created()).replaceFirst("\\.[0-9]+Z$", "Z"));
      page.leaf("td", shown(manifest.code()));
      page.leaf("td", ContentHash.ofFile(file), "class", "hash").close();
    }
    page.close().close().close();
    run.manifest().ifPresent(manifest -> details(page, manifest));
    page.close();
  }

  /// The version with the commit, shortened as git shows it.
  static String shown(@Nullable CodeVersion code) {
    if (code == null) {
      return "of unknown version";
    }
    String commit = text(code.commit());
    return text(code.version())
        + (commit.matches("[0-9a-f]{40}") ? ", commit " + commit.substring(0, 10) : "")
        + (code.modified() ? " with changes" : "");
  }

  private static void details(Markup page, Manifest manifest) {
    page.open("details").leaf("summary", "What the newest checkpoint was made from");
    page.table("input", "#size", "SHA-256").open("tbody");
    for (Manifest.Entry input : manifest.inputs().stream().limit(MOST_INPUTS).toList()) {
      page.open("tr").leaf("td", Figures.shortened(text(input.name()), 200));
      page.leaf("td", Figures.bytes(input.byteSize()), "class", "number");
      page.leaf("td", text(input.sha256()), "class", "hash").close();
    }
    page.close().close().close();
    if (manifest.inputs().size() > MOST_INPUTS) {
      page.leaf("p", "and " + (manifest.inputs().size() - MOST_INPUTS) + " more", "class", "muted");
    }
    page.close();
    page.open("details").leaf("summary", "The machine it was made on");
    page.table("fact", "value").open("tbody");
    new TreeMap<>(manifest.environment())
        .forEach((name, value) -> page.open("tr").leaf("td", name).leaf("td", value).close());
    page.close().close().close().close();
  }

  /// The manifests of the run, its direct subdirectories and the newest checkpoint, by directory.
  private static Map<String, Manifest> manifests(RunFiles run) throws IOException {
    List<Path> directories = new ArrayList<>();
    directories.add(run.root());
    try (Stream<Path> entries = Files.list(run.root())) {
      entries
          .filter(Files::isDirectory)
          .filter(directory -> !directory.getFileName().toString().startsWith("."))
          .sorted()
          .limit(MOST_ARTEFACTS)
          .forEach(directories::add);
    }
    run.checkpoint().ifPresent(directories::add);
    Map<String, Manifest> found = new LinkedHashMap<>();
    for (Path directory : directories) {
      Optional<Manifest> manifest = RunFiles.manifest(directory);
      manifest.ifPresent(read -> found.put(relative(run.root(), directory), read));
    }
    return found;
  }

  private static String relative(Path root, Path directory) {
    List<String> names = new ArrayList<>();
    root.relativize(directory).forEach(name -> names.add(name.toString()));
    return String.join("/", names);
  }

  private static String text(@Nullable String value) {
    return value == null ? "" : value;
  }
}
