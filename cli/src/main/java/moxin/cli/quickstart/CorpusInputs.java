package moxin.cli.quickstart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import moxin.data.CorpusRecipe;
import moxin.job.ContentHash;

/// What a corpus is made from, as a hash: the content of files and of the JDK's `src.zip`.
final class CorpusInputs {

  private CorpusInputs() {}

  /// The hash over all inputs; absent ones count as absent, and the preparation reports them.
  static String fingerprint(CorpusRecipe recipe) throws IOException {
    List<String> parts = new ArrayList<>();
    for (CorpusRecipe.Source source : recipe.sources()) {
      Path path =
          source.path() == null
              ? Path.of(System.getProperty("java.home"), "lib", "src.zip")
              : Path.of(source.path());
      parts.add(source.name());
      if (Files.isRegularFile(path)) {
        parts.add(ContentHash.ofFile(path));
      } else if (Files.isDirectory(path)) {
        parts.add(ofTree(path));
      }
    }
    return StepLedger.key(parts);
  }

  private static String ofTree(Path root) throws IOException {
    List<String> lines = new ArrayList<>();
    List<Path> files;
    try (Stream<Path> walk = Files.walk(root)) {
      files = walk.filter(Files::isRegularFile).sorted().toList();
    }
    for (Path file : files) {
      lines.add(root.relativize(file) + " " + ContentHash.ofFile(file));
    }
    return StepLedger.key(lines);
  }
}
