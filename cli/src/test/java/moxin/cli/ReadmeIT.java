package moxin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import moxin.cli.MoxinProcess.Launch;
import moxin.job.RecipeFile;
import moxin.testing.SharedData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Every `./moxin` command of the README as it is printed there, in order, in an empty folder whose
/// recipes are the project's, shortened.
class ReadmeIT {
  private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|(\\S+)");

  @TempDir private Path folder = Path.of("");

  @Test
  void theCommandsOfTheReadmeWork() throws IOException, InterruptedException {
    shorten("quickstart.yaml", ShortQuickstart.overrides());
    // So small a corpus has questions enough to evaluate only where much is held out.
    shorten("jdk-corpus.yaml", List.of("data.validationFraction=0.3"));
    String whole = "recipes/moxin-7b.yaml";
    Files.copy(SharedData.projectRoot().resolve(whole), folder.resolve(whole));
    List<List<String>> commands = commands();
    assertThat(commands).hasSizeGreaterThanOrEqualTo(9);
    assertThat(commands.getFirst()).containsExactly("quickstart");
    for (List<String> command : commands) {
      Launch.in(folder).with("-Dmoxin.home=" + folder).run(command).exits(0);
    }
  }

  private void shorten(String name, List<String> overrides) throws IOException {
    List<String> all = new ArrayList<>(overrides);
    all.add("data.limits={maxDocuments: 400, maxBytes: 3000000}");
    Path recipes = Files.createDirectories(folder.resolve("recipes"));
    Path source = SharedData.projectRoot().resolve("recipes").resolve(name);
    Files.writeString(recipes.resolve(name), RecipeFile.read(source).withOverrides(all).toYaml());
  }

  private static List<List<String>> commands() throws IOException {
    try (Stream<String> lines = Files.lines(SharedData.projectRoot().resolve("README.md"))) {
      return lines
          .filter(line -> line.startsWith("./moxin "))
          .map(line -> words(line.substring("./moxin ".length())))
          .toList();
    }
  }

  private static List<String> words(String line) {
    List<String> words = new ArrayList<>();
    Matcher matcher = WORD.matcher(line);
    while (matcher.find()) {
      words.add(matcher.group(1) == null ? matcher.group(2) : matcher.group(1));
    }
    return words;
  }
}
