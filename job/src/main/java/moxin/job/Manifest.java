package moxin.job;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// What made an artefact directory: its inputs and outputs by SHA-256, the resolved recipe, the
/// version of the code and the environment. Written last into the directory as `manifest.json`, so
/// that the chain from a released model back to its documents can be walked hash by hash.
///
/// @param kind what the directory holds, such as `corpus`, `tokenizer`, `checkpoint`, `evaluation`
/// @param created when the artefact was finished, ISO-8601 in UTC
/// @param code the version of Moxin that made it
/// @param environment the machine and Java that made it
/// @param recipe the resolved recipe, or JSON null where there is none
/// @param inputs what was read
/// @param outputs the files of this directory, without the manifest itself
@JsonInclude(JsonInclude.Include.ALWAYS)
public record Manifest(
    String kind,
    String created,
    CodeVersion code,
    Map<String, String> environment,
    JsonNode recipe,
    List<Entry> inputs,
    List<Entry> outputs) {

  /// The name of a manifest in its directory.
  public static final String FILE_NAME = "manifest.json";

  private static final JsonMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  public Manifest {
    environment = Map.copyOf(environment);
    inputs = List.copyOf(inputs);
    outputs = List.copyOf(outputs);
  }

  /// One input or output.
  ///
  /// @param name its role (`tokenizer`, `train shard`) for inputs; the relative path for outputs
  /// @param byteSize the size in bytes of a file, or of all files of a directory
  public record Entry(String name, String sha256, long byteSize) {

    /// The entry of a file or directory as it is on disk now.
    public static Entry of(String name, Path path) throws IOException {
      long bytes = 0;
      if (Files.isDirectory(path)) {
        for (Path file : ContentHash.filesIn(path)) {
          bytes += Files.size(file);
        }
      } else {
        bytes = Files.size(path);
      }
      return new Entry(name, ContentHash.ofPath(path), bytes);
    }
  }

  /// Hashes every file of `directory` and writes its manifest there.
  ///
  /// @param recipe the resolved recipe, or null where the artefact has none
  public static Manifest write(
      Path directory,
      String kind,
      @org.jspecify.annotations.Nullable JsonNode recipe,
      List<Entry> inputs)
      throws IOException {
    List<Entry> outputs = new ArrayList<>();
    for (Path file : ContentHash.filesIn(directory)) {
      outputs.add(Entry.of(ContentHash.relative(directory, file), file));
    }
    return write(directory.resolve(FILE_NAME), kind, recipe, inputs, outputs);
  }

  /// Hashes `file`, an artefact that is no directory, and writes its manifest beside it, called
  /// like the file with `.manifest.json` behind.
  ///
  /// @param recipe the resolved recipe, or null where the artefact has none
  public static Manifest writeBeside(
      Path file,
      String kind,
      @org.jspecify.annotations.Nullable JsonNode recipe,
      List<Entry> inputs)
      throws IOException {
    List<Entry> outputs = List.of(Entry.of(file.getFileName().toString(), file));
    return write(beside(file), kind, recipe, inputs, outputs);
  }

  private static Manifest write(
      Path manifestFile,
      String kind,
      @org.jspecify.annotations.Nullable JsonNode recipe,
      List<Entry> inputs,
      List<Entry> outputs)
      throws IOException {
    Manifest manifest =
        new Manifest(
            kind,
            Instant.now().toString(),
            CodeVersion.current(),
            Environment.describe(),
            recipe == null ? JsonNodeFactory.instance.nullNode() : recipe,
            inputs,
            outputs);
    AtomicFile.write(
        manifestFile, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(manifest) + "\n");
    return manifest;
  }

  /// Reads the manifest of `directory`.
  ///
  /// @throws IOException if there is none or it is not a manifest
  public static Manifest read(Path directory) throws IOException {
    return JSON.readValue(directory.resolve(FILE_NAME).toFile(), Manifest.class);
  }

  /// Reads the manifest beside `file`.
  ///
  /// @throws IOException if there is none or it is not a manifest
  public static Manifest readBeside(Path file) throws IOException {
    return JSON.readValue(beside(file).toFile(), Manifest.class);
  }

  private static Path beside(Path file) {
    return file.resolveSibling(file.getFileName() + "." + FILE_NAME);
  }

  /// The outputs that are missing from `directory` or differ from what this manifest says, one line
  /// each; empty when all is well.
  public List<String> differences(Path directory) throws IOException {
    List<String> lines = new ArrayList<>();
    for (Entry output : outputs) {
      Path file = directory.resolve(output.name()).normalize();
      if (!file.startsWith(directory.normalize())) {
        lines.add(output.name() + ": outside the directory");
      } else if (!Files.isRegularFile(file)) {
        lines.add(output.name() + ": missing");
      } else if (!ContentHash.ofFile(file).equals(output.sha256())) {
        lines.add(output.name() + ": sha256 differs from the manifest");
      }
    }
    return lines;
  }
}
