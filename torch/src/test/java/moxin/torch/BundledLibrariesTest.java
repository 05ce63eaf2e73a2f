package moxin.torch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import moxin.job.Progress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BundledLibrariesTest {
  @TempDir Path directory;

  @Test
  void extractsOnceAndRepairsWhatWasTruncated() throws IOException {
    Map<String, URL> resources = new LinkedHashMap<>();
    resources.put("b.so", source("b", "twelve bytes").toUri().toURL());
    resources.put("a.so", source("a", "three").toUri().toURL());
    Path cache = directory.resolve("cache");

    List<Path> files = BundledLibraries.extract(resources, cache, Progress.silent());
    assertThat(files)
        .extracting(path -> path.getFileName().toString())
        .containsExactly("b.so", "a.so");
    assertThat(files.getLast()).hasContent("three");

    FileTime longAgo = FileTime.fromMillis(1_000_000);
    Files.setLastModifiedTime(files.getFirst(), longAgo);
    BundledLibraries.extract(resources, cache, Progress.silent());
    assertThat(Files.getLastModifiedTime(files.getFirst())).isEqualTo(longAgo);

    Files.writeString(files.getFirst(), "cut");
    assertThat(BundledLibraries.extract(resources, cache, Progress.silent())).isEqualTo(files);
    assertThat(files.getFirst()).hasContent("twelve bytes");
  }

  @Test
  void cacheFollowsThePlatformsHabits() {
    Path home = Path.of("home");
    assertThat(UserCache.directory(Map.of(), "linux", home))
        .isEqualTo(home.resolve(".cache").resolve("moxin"));
    assertThat(UserCache.directory(Map.of("XDG_CACHE_HOME", "x"), "linux", home))
        .isEqualTo(Path.of("x").resolve("moxin"));
    assertThat(UserCache.directory(Map.of(), "mac os x", home))
        .isEqualTo(home.resolve("Library").resolve("Caches").resolve("moxin"));
    assertThat(UserCache.directory(Map.of("MOXIN_CACHE", "m"), "windows 11", home))
        .isEqualTo(Path.of("m"));
  }

  private Path source(String name, String content) throws IOException {
    return Files.writeString(directory.resolve(name), content);
  }
}
