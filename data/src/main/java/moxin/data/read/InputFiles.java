package moxin.data.read;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import moxin.data.CorpusException;
import moxin.data.CorpusRecipe;
import moxin.data.CorpusRecipe.Source;
import moxin.data.DocumentOrder;
import moxin.data.read.InputUnit.Format;

/// Lists what a recipe reads, in units that can be read independently of each other.
public final class InputFiles {
  private static final long UNIT_BYTES = 4 << 20;

  private static final Set<String> TEXT =
      Set.of("txt", "text", "md", "markdown", "rst", "adoc", "tex");
  private static final Set<String> JSON = Set.of("jsonl", "ndjson", "json");
  private static final Set<String> CODE =
      Set.of(
          "java", "kt", "scala", "groovy", "py", "c", "h", "cc", "cpp", "cxx", "hpp", "cs", "go",
          "rs", "js", "mjs", "ts", "tsx", "jsx", "rb", "php", "swift", "sh", "bash", "sql", "r",
          "jl", "lua", "pl", "hs", "ml", "clj", "ex", "erl", "dart", "m", "f90", "s", "asm", "html",
          "css", "xml", "yaml", "yml", "toml", "gradle", "cmake", "proto");

  private InputFiles() {}

  /// The units of `recipe` in a fixed order.
  ///
  /// @throws CorpusException if a source names nothing that can be read
  public static List<InputUnit> list(CorpusRecipe recipe) throws IOException {
    List<InputUnit> units = new ArrayList<>();
    Map<Path, List<Source>> archives = new LinkedHashMap<>();
    for (Source source : recipe.sources()) {
      if (source.kind().readsJdk()) {
        archives.computeIfAbsent(archive(source), key -> new ArrayList<>()).add(source);
      } else {
        units.addAll(files(source, recipe));
      }
    }
    for (Map.Entry<Path, List<Source>> archive : archives.entrySet()) {
      units.addAll(archiveUnits(archive.getKey(), archive.getValue(), recipe));
    }
    if (units.isEmpty()) {
      throw new CorpusException("the corpus is empty: no source names a file that can be read");
    }
    return units;
  }

  /// The files and folders that `recipe` reads, for its manifest.
  public static Map<String, Path> roots(CorpusRecipe recipe) {
    Map<String, Path> roots = new LinkedHashMap<>();
    for (Source source : recipe.sources()) {
      Path path = source.kind().readsJdk() ? archive(source) : root(source);
      roots.putIfAbsent(path.toString(), path);
    }
    return roots;
  }

  /// The `src.zip` of the running JDK.
  public static Path runningJdkSources() {
    return Path.of(System.getProperty("java.home"), "lib", "src.zip");
  }

  private static Path archive(Source source) {
    if (source.path() != null) {
      return root(source);
    }
    Path archive = runningJdkSources();
    if (!Files.isRegularFile(archive)) {
      throw new CorpusException(
          archive
              + " is missing: this JDK came without its sources. Install them (Debian and Ubuntu:"
              + " openjdk-25-source) or a JDK that has them, or give --corpus DIR");
    }
    return archive;
  }

  private static Path root(Source source) {
    Path root = Path.of(Optional.ofNullable(source.path()).orElse("")).toAbsolutePath().normalize();
    if (!Files.exists(root)) {
      throw new CorpusException("source " + source.name() + ": " + root + " does not exist");
    }
    return root;
  }

  private static List<InputUnit> archiveUnits(
      Path archive, List<Source> sources, CorpusRecipe recipe) throws IOException {
    List<Globs> globs = sources.stream().map(Globs::of).toList();
    List<Sized> entries;
    try (ZipFile zip = new ZipFile(archive.toFile())) {
      entries =
          zip.stream()
              .filter(entry -> !entry.isDirectory() && entry.getName().endsWith(".java"))
              .filter(entry -> globs.stream().anyMatch(glob -> glob.accept(entry.getName())))
              .map(entry -> new Sized(entry.getName(), Math.max(0, entry.getSize())))
              .toList();
    } catch (ZipException e) {
      throw new CorpusException(archive + " is no zip archive: " + e.getMessage(), e);
    }
    if (entries.isEmpty()) {
      throw new CorpusException(archive + " holds no Java source that the recipe includes");
    }
    List<String> names = sources.stream().map(Source::name).toList();
    List<InputUnit> units = new ArrayList<>();
    List<String> batch = new ArrayList<>();
    long bytes = 0;
    for (Sized entry : within(entries, recipe)) {
      batch.add(entry.path());
      bytes += entry.bytes();
      if (bytes >= UNIT_BYTES) {
        units.add(new InputUnit(Format.JDK_ARCHIVE, archive.toString(), names, batch, bytes));
        batch = new ArrayList<>();
        bytes = 0;
      }
    }
    if (!batch.isEmpty()) {
      units.add(new InputUnit(Format.JDK_ARCHIVE, archive.toString(), names, batch, bytes));
    }
    return units;
  }

  private static List<InputUnit> files(Source source, CorpusRecipe recipe) throws IOException {
    Path root = root(source);
    Globs globs = Globs.of(source);
    List<Sized> found = new ArrayList<>();
    boolean folder = Files.isDirectory(root);
    if (folder) {
      try (Stream<Path> walk = Files.walk(root)) {
        for (Path file : walk.filter(Files::isRegularFile).toList()) {
          String path = root.relativize(file).toString().replace('\\', '/');
          if (!hidden(path) && format(path).isPresent() && globs.accept(path)) {
            found.add(new Sized(path, Files.size(file)));
          }
        }
      }
    } else if (format(root.getFileName().toString()).isPresent()) {
      found.add(new Sized(root.getFileName().toString(), Files.size(root)));
    }
    if (found.isEmpty()) {
      throw new CorpusException(
          "source "
              + source.name()
              + ": "
              + root
              + " holds no text, Markdown, code, .jsonl(.gz, .zst) or .parquet file");
    }
    List<InputUnit> units = new ArrayList<>();
    for (Sized file : within(found, recipe)) {
      Path path = folder ? root.resolve(file.path()) : root;
      units.add(
          new InputUnit(
              format(file.path()).orElseThrow(),
              path.toString(),
              List.of(source.name()),
              List.of(file.path()),
              file.bytes()));
    }
    return units;
  }

  /// What `limits` leave of `files`: in the order of their hash until the bytes are used up.
  private static List<Sized> within(List<Sized> files, CorpusRecipe recipe) {
    List<Sized> chosen = new ArrayList<>();
    if (recipe.limits().maxBytes() == Long.MAX_VALUE) {
      chosen.addAll(files);
    } else {
      long left = recipe.limits().maxBytes();
      List<Sized> shuffled =
          files.stream()
              .sorted(Comparator.comparingLong(f -> DocumentOrder.place(f.path(), recipe.seed())))
              .toList();
      for (Sized file : shuffled) {
        if (chosen.isEmpty() || file.bytes() <= left) {
          chosen.add(file);
          left -= file.bytes();
        }
      }
    }
    chosen.sort(Comparator.comparing(Sized::path));
    return chosen;
  }

  private static boolean hidden(String path) {
    return path.startsWith(".") || path.contains("/.");
  }

  /// The format that the name of a file tells, compression aside; empty for what is not read.
  static Optional<Format> format(String path) {
    String name = path.substring(path.lastIndexOf('/') + 1).toLowerCase(Locale.ROOT);
    String plain = name.replaceFirst("\\.(gz|zst)$", "");
    int dot = plain.lastIndexOf('.');
    String extension = dot < 0 ? "" : plain.substring(dot + 1);
    if (TEXT.contains(extension)) {
      return Optional.of(Format.TEXT);
    } else if (CODE.contains(extension)) {
      return Optional.of(Format.CODE);
    } else if (JSON.contains(extension)) {
      return Optional.of(Format.JSON_LINES);
    }
    return extension.equals("parquet") && plain.equals(name)
        ? Optional.of(Format.PARQUET)
        : Optional.empty();
  }

  private record Sized(String path, long bytes) {}
}
