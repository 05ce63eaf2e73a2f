package moxin.data.read;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import moxin.data.CorpusException;
import moxin.data.CorpusRecipe;
import moxin.data.CorpusRecipe.Kind;
import moxin.data.CorpusRecipe.Source;
import moxin.data.StageItem;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class UnitReaderTest {
  @TempDir Path directory;

  @Test
  @Seeded
  void mutatedFilesAreReadOrReportedButNeverFail(Random random) throws Exception {
    byte[] lines =
        "{\"text\": \"one \\u00e9\"}\n{\"content\": \"two\"}\n"
            .repeat(20)
            .getBytes(StandardCharsets.UTF_8);
    for (String name : List.of("a.jsonl", "a.jsonl.zst", "a.txt", "a.py")) {
      byte[] whole = name.endsWith(".zst") ? Zstd.compress(lines) : lines;
      for (int i = 0; i < 300; i++) {
        byte[] bytes = Arrays.copyOf(whole, 1 + random.nextInt(whole.length));
        for (int j = 0; j < random.nextInt(4); j++) {
          bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
        }
        assertThat(read(name, bytes)).isNotEmpty();
      }
    }
  }

  @Test
  void globsChooseFiles() throws Exception {
    Files.createDirectories(directory.resolve("in/docs"));
    for (String file : List.of("in/a.md", "in/docs/b.md", "in/docs/c.txt", "in/docs/d.bin")) {
      Files.writeString(directory.resolve(file), "text");
    }
    CorpusRecipe recipe =
        CorpusRecipe.of(
            List.of(
                new Source(
                    "s",
                    Kind.FILES,
                    directory.resolve("in").toString(),
                    List.of("*.md", "docs/*"),
                    List.of("docs/b*"))));
    assertThat(InputFiles.list(recipe))
        .extracting(unit -> unit.entries().getFirst())
        .containsExactly("a.md", "docs/c.txt");
  }

  @Test
  void whatIsMissingIsNamed() {
    assertThatThrownBy(() -> InputFiles.list(CorpusRecipe.ofFiles(directory.resolve("absent"))))
        .isInstanceOf(CorpusException.class)
        .hasMessageContaining("absent does not exist");
  }

  private List<StageItem> read(String name, byte[] bytes) throws IOException {
    Path file = directory.resolve(name);
    Files.write(file, bytes);
    CorpusRecipe recipe = CorpusRecipe.ofFiles(file);
    List<StageItem> items = new ArrayList<>();
    StagingSink sink = new StagingSink(recipe, items::add);
    for (InputUnit unit : InputFiles.list(recipe)) {
      new UnitReader(recipe).read(unit, sink);
    }
    sink.finish();
    return items;
  }
}
