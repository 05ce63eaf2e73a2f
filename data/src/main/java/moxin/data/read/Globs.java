package moxin.data.read;

import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.List;
import java.util.regex.PatternSyntaxException;
import moxin.data.CorpusException;
import moxin.data.CorpusRecipe;

/// The globs of a source: `*.md`, `src/**`, `**/*Test.java`. A glob without a slash is asked about
/// the file's name alone.
final class Globs {
  private final List<Glob> include;
  private final List<Glob> exclude;

  private Globs(List<Glob> include, List<Glob> exclude) {
    this.include = include;
    this.exclude = exclude;
  }

  private record Glob(PathMatcher matcher, boolean nameOnly) {
    boolean matches(Path path) {
      Path name = path.getFileName();
      return matcher.matches(nameOnly && name != null ? name : path);
    }
  }

  static Globs of(CorpusRecipe.Source source) {
    return new Globs(parse(source, source.include()), parse(source, source.exclude()));
  }

  /// Whether the file at `path`, relative and with slashes, is wanted.
  boolean accept(String path) {
    Path relative = Path.of(path);
    return (include.isEmpty() || include.stream().anyMatch(glob -> glob.matches(relative)))
        && exclude.stream().noneMatch(glob -> glob.matches(relative));
  }

  private static List<Glob> parse(CorpusRecipe.Source source, List<String> globs) {
    return globs.stream()
        .map(
            glob -> {
              try {
                return new Glob(
                    FileSystems.getDefault().getPathMatcher("glob:" + glob), glob.indexOf('/') < 0);
              } catch (PatternSyntaxException e) {
                throw new CorpusException(
                    "source " + source.name() + ": " + glob + " is no glob: " + e.getDescription(),
                    e);
              }
            })
        .toList();
  }
}
