package moxin.release;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import moxin.job.ContentHash;
import moxin.job.Manifest;
import moxin.job.Progress;

/// Walks a release from its weights back to the raw documents, by hash: what one artefact's
/// manifest names as input must be an output of another's.
public final class ManifestChain {
  private final Map<String, Manifest> manifests;
  private final Map<String, List<String>> makers;
  private final Set<String> links = new TreeSet<>();
  private final Map<String, Manifest.Entry> origins = new LinkedHashMap<>();
  private final Set<String> gaps = new TreeSet<>();
  private final Set<String> seen = new HashSet<>();

  private ManifestChain(Map<String, Manifest> manifests) {
    this.manifests = manifests;
    this.makers = makers(manifests);
  }

  /// What the walk found.
  ///
  /// @param links inputs found as the output of another artefact, one line each
  /// @param origins inputs of the corpus: what was read from outside, with its hash
  /// @param referenced how many outputs are named by hash and not part of the release
  /// @param differences files that are missing or not what a manifest says, one line each
  /// @param gaps inputs that no artefact of the release accounts for, one line each
  public record Report(
      List<String> links,
      List<Manifest.Entry> origins,
      long referenced,
      List<String> differences,
      List<String> gaps) {

    public Report {
      links = List.copyOf(links);
      origins = List.copyOf(origins);
      differences = List.copyOf(differences);
      gaps = List.copyOf(gaps);
    }

    /// Whether the chain holds from the weights to the documents.
    public boolean holds() {
      return differences.isEmpty() && gaps.isEmpty();
    }
  }

  /// Verifies the release in `directory`.
  ///
  /// @throws moxin.job.BadInputException if a manifest cannot be read
  public static Report verify(Path directory, Progress progress) throws IOException {
    try (Progress.Task task = progress.start("Verify", 0, "bytes")) {
      return verify(directory, new FileHashes(directory, task));
    }
  }

  static Report verify(Path directory, FileHashes hashes) throws IOException {
    Map<String, Manifest> manifests = new TreeMap<>();
    for (Path file : RunArtefacts.manifests(directory)) {
      Path parent = file.getParent();
      if (parent != null && !parent.equals(directory)) {
        String name = directory.relativize(parent).toString().replace('\\', '/');
        manifests.put(name, RunArtefacts.read(parent));
      }
    }
    Set<String> differences = new TreeSet<>(ownDifferences(directory, hashes));
    long referenced = 0;
    for (Map.Entry<String, Manifest> entry : manifests.entrySet()) {
      for (Manifest.Entry output : entry.getValue().outputs()) {
        String name = entry.getKey() + "/" + output.name();
        if (!hashes.has(name)) {
          referenced++;
        } else if (!hashes.confirms(name, output)) {
          differences.add(name + ": sha256 differs from the manifest of " + entry.getKey());
        }
      }
    }
    ManifestChain chain = new ManifestChain(manifests);
    chain.walk();
    return new Report(
        List.copyOf(chain.links),
        List.copyOf(chain.origins.values()),
        referenced,
        List.copyOf(differences),
        List.copyOf(chain.gaps));
  }

  /// What the release's own manifest says and its files do not show.
  private static List<String> ownDifferences(Path directory, FileHashes hashes) throws IOException {
    if (!Files.isRegularFile(directory.resolve(Manifest.FILE_NAME))) {
      return List.of(Manifest.FILE_NAME + ": missing");
    }
    Manifest own = RunArtefacts.read(directory);
    List<Manifest.Entry> entries = new ArrayList<>(own.outputs());
    own.inputs().stream()
        .filter(input -> input.name().endsWith("/" + Manifest.FILE_NAME))
        .forEach(entries::add);
    List<String> lines = new ArrayList<>();
    for (Manifest.Entry entry : entries) {
      if (!hashes.has(entry.name())) {
        lines.add(entry.name() + ": missing");
      } else if (!hashes.confirms(entry.name(), entry)) {
        lines.add(entry.name() + ": sha256 differs from the release's manifest");
      }
    }
    return lines;
  }

  private void walk() {
    ArrayDeque<String> open = new ArrayDeque<>();
    manifests.forEach(
        (name, manifest) -> {
          if (manifest.kind().equals("checkpoint")) {
            open.add(name);
            seen.add(name);
          }
        });
    if (open.isEmpty()) {
      gaps.add("no manifest of the weights");
    }
    boolean documents = false;
    while (!open.isEmpty()) {
      String name = open.removeFirst();
      Optional<Manifest> manifest = Optional.ofNullable(manifests.get(name));
      documents |= manifest.map(Manifest::kind).equals(Optional.of("corpus"));
      manifest.ifPresent(found -> open.addAll(follow(name, found)));
    }
    if (!documents) {
      gaps.add("the weights do not lead back to the manifest of a corpus");
    }
    manifests.forEach(
        (name, manifest) -> {
          if (manifest.kind().equals("evaluation")) {
            requireFinalWeights(name, manifest);
          }
        });
  }

  /// Accounts for the inputs of an artefact; returns their makers that the walk has not seen.
  private Collection<String> follow(String name, Manifest manifest) {
    Set<String> next = new TreeSet<>();
    for (Manifest.Entry input : manifest.inputs()) {
      List<String> found =
          makers.getOrDefault(input.sha256(), List.of()).stream()
              .filter(maker -> !passesOn(maker, input))
              .toList();
      if (!found.isEmpty()) {
        String maker = found.getFirst();
        links.add(name + " <- " + input.name() + " <- " + maker);
        if (seen.add(maker)) {
          next.add(maker);
        }
      } else if (manifest.kind().equals("corpus")) {
        origins.put(input.sha256(), input);
      } else {
        gaps.add(name + ": nothing here made its input \"" + input.name() + "\" " + input.sha256());
      }
    }
    return next;
  }

  /// Results count for a release only if they were measured on its final weights.
  private void requireFinalWeights(String name, Manifest manifest) {
    for (Manifest.Entry input : manifest.inputs()) {
      if (makers.getOrDefault(input.sha256(), List.of()).contains(ReleaseFolder.MODEL)
          && !passesOn(ReleaseFolder.MODEL, input)) {
        links.add(name + " <- " + input.name() + " <- " + ReleaseFolder.MODEL);
        return;
      }
    }
    gaps.add(name + ": its manifest does not name the final weights");
  }

  /// Whether an artefact read `input` itself, so that having it as output says nothing about where
  /// it comes from, as with the tokenizer in every checkpoint.
  private boolean passesOn(String maker, Manifest.Entry input) {
    Manifest manifest = manifests.get(maker);
    return manifest != null
        && manifest.inputs().stream().anyMatch(own -> own.sha256().equals(input.sha256()));
  }

  /// Which artefacts made a hash: that of a file, or of a directory of files.
  private static Map<String, List<String>> makers(Map<String, Manifest> manifests) {
    Map<String, List<String>> makers = new HashMap<>();
    manifests.forEach(
        (name, manifest) -> {
          Map<String, StringBuilder> folders = new TreeMap<>();
          List<Manifest.Entry> sorted = new ArrayList<>(manifest.outputs());
          sorted.sort((a, b) -> a.name().compareTo(b.name()));
          for (Manifest.Entry output : sorted) {
            add(makers, output.sha256(), name);
            addToFolders(folders, output);
          }
          folders.values().forEach(lines -> add(makers, ContentHash.of(lines.toString()), name));
        });
    return makers;
  }

  /// Adds a file to the listing of every folder that it is in, as [ContentHash#ofDirectory] lists
  /// them.
  private static void addToFolders(Map<String, StringBuilder> folders, Manifest.Entry output) {
    int at = 0;
    do {
      folders
          .computeIfAbsent(output.name().substring(0, at), key -> new StringBuilder())
          .append(output.sha256())
          .append("  ")
          .append(output.name().substring(at))
          .append('\n');
      at = output.name().indexOf('/', at) + 1;
    } while (at > 0);
  }

  private static void add(Map<String, List<String>> makers, String sha256, String name) {
    List<String> list = makers.computeIfAbsent(sha256, key -> new ArrayList<>());
    if (!list.contains(name)) {
      list.add(name);
    }
  }
}
