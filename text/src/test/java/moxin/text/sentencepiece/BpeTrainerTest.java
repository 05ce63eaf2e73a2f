package moxin.text.sentencepiece;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import moxin.job.Progress;
import moxin.job.RecipeException;
import moxin.job.RecipeFile;
import moxin.testing.Seeded;
import moxin.text.Tokenizer;
import moxin.text.Tokenizers;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Seeded
final class BpeTrainerTest {
  @TempDir Path directory;

  private static final List<String> EXTRA = List.of("<|user|>", "<|assistant|>");

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anyTextComesBackExactly(boolean dummyPrefix, Random random) {
    Tokenizer tokenizer = trained(dummyPrefix).tokenizer();
    List<String> texts =
        new ArrayList<>(
            List.of("", " ", "  ", "\n", "\t\tx", " a", "a ", "\r\n\r\n  }\n", "naïve 東京 😀", "▁"));
    for (int i = 0; i < 300; i++) {
      StringBuilder text = new StringBuilder();
      for (int n = random.nextInt(40); n > 0; n--) {
        int kind = random.nextInt(6);
        text.appendCodePoint(
            kind == 0
                ? " \n\t".charAt(random.nextInt(3))
                : kind == 1 ? 0x20 + random.nextInt(0x2000) : 'a' + random.nextInt(26));
      }
      texts.add(text.toString());
    }
    for (String text : texts) {
      // The escape of the space is the one character that SentencePiece cannot tell apart.
      String expected = text.replace(SentencePieceModel.SPACE, ' ');
      int[] ids = tokenizer.encode(text);
      assertThat(tokenizer.decode(ids)).isEqualTo(expected);
      assertThat(SentencePieceVectorsParityTest.streamed(tokenizer, ids)).isEqualTo(expected);
    }
    assertThat(tokenizer.piece(tokenizer.encode("class")[0]).startsWith("▁"))
        .isEqualTo(dummyPrefix);
  }

  @Test
  void trainingIsRepeatableAndHasTheAskedSize() {
    TrainedTokenizer first = trained(true);
    assertThat(first.model()).isNotSameAs(trained(true).model());
    assertThat(first.model().pieces()).isEqualTo(trained(true).model().pieces()).hasSize(700);
    assertThat(first.model().pieces().get(0).text()).isEqualTo("<unk>");
    assertThat(first.model().pieces().get(3).text()).isEqualTo("<0x00>");
    assertThat(first.model().pieces().get(259).text()).isEqualTo("<|user|>");
    assertThat(first.tokenizer().encode("<|user|>")).contains(259);
  }

  @Test
  void frequentWordsBecomeOnePiece() {
    Tokenizer tokenizer = trained(true).tokenizer();
    for (String word : List.of("int", "return")) {
      assertThat(trained(false).tokenizer().encode(word)).as(word).hasSize(1);
    }
    assertThat(tokenizer.encode("x\n        y").length).isLessThan(6);
    assertThat(tokenizer.encode("12345").length).isGreaterThanOrEqualTo(5);
  }

  @Test
  void theFilesAreReadBack() throws IOException {
    TrainedTokenizer trained = trained(true);
    trained.writeTo(directory);
    Tokenizer loaded = Tokenizers.load(directory);
    for (String document : documents()) {
      assertThat(loaded.encode(document)).isEqualTo(trained.tokenizer().encode(document));
    }
    JsonNode json = new JsonMapper().readTree(directory.resolve("tokenizer.json").toFile());
    assertThat(json.at("/model/vocab").size()).isEqualTo(700);
    assertThat(json.at("/model/merges").size()).isGreaterThan(100);
    assertThat(json.at("/model/byte_fallback").asBoolean()).isTrue();
  }

  @Test
  void pruningKeepsFrequentWords() {
    WordCounter counter = new WordCounter(TokenizerRecipe.ofVocabSize(300), 100);
    for (int i = 0; i < 1000; i++) {
      counter.add("frequent word" + (char) ('a' + i % 26) + (char) ('a' + i / 26 % 26), 1);
    }
    assertThat(counter.words()).hasSizeLessThan(110);
    assertThat(counter.words())
        .anyMatch(w -> w.getKey().equals(" frequent") && w.getValue() == 1000);
  }

  @Test
  void aRecipeIsCheckedAndResolved() {
    RecipeFile recipe = RecipeFile.parse("r", "tokenizer: {vocabSize: 4096}");
    TokenizerRecipe resolved = recipe.requiredSection("tokenizer", TokenizerRecipe.class);
    assertThat(resolved.vocabSize()).isEqualTo(4096);
    assertThat(resolved.addDummyPrefix()).isTrue();
    RecipeFile again = RecipeFile.parse("r", recipe.with("tokenizer", resolved).toYaml());
    assertThat(again.requiredSection("tokenizer", TokenizerRecipe.class)).isEqualTo(resolved);
    RecipeFile small = RecipeFile.parse("r", "tokenizer: {vocabSize: 100}");
    assertThatThrownBy(() -> small.section("tokenizer", TokenizerRecipe.class))
        .isInstanceOf(RecipeException.class)
        .hasMessageContaining("vocabSize is 100");
  }

  @Test
  void anEmptyCorpusIsRefused() {
    assertThatThrownBy(
            () ->
                BpeTrainer.train(
                    TokenizerRecipe.ofVocabSize(300),
                    List.<String>of().iterator(),
                    Progress.silent()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no text");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void sentencepieceReadsTheModelAndGivesTheSameIds(boolean dummyPrefix)
      throws IOException, InterruptedException {
    Path program = Path.of("/usr/bin/spm_encode");
    Assumptions.assumeTrue(
        Files.isExecutable(program), "needs spm_encode of Debian's sentencepiece");
    TrainedTokenizer trained = trained(dummyPrefix);
    trained.writeTo(directory);
    List<String> lines =
        documents().stream()
            .flatMap(String::lines)
            .filter(line -> !line.isEmpty())
            .map(line -> line + "  naïve 東京")
            .toList();
    Path input = directory.resolve("input.txt");
    Files.write(input, lines, StandardCharsets.UTF_8);
    Path output = directory.resolve("output.txt");
    Process process =
        new ProcessBuilder(
                program.toString(),
                "--model=" + directory.resolve("tokenizer.model"),
                "--output_format=id",
                "--input=" + input,
                "--output=" + output)
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("log.txt").toFile())
            .start();
    assertThat(process.waitFor()).as(Files.readString(directory.resolve("log.txt"))).isZero();
    List<String> ids = Files.readAllLines(output);
    Tokenizer tokenizer = trained.tokenizer();
    for (int i = 0; i < lines.size(); i++) {
      int[] expected = Arrays.stream(ids.get(i).split(" ")).mapToInt(Integer::parseInt).toArray();
      assertThat(tokenizer.encode(lines.get(i))).as(lines.get(i)).isEqualTo(expected);
    }
  }

  private static TrainedTokenizer trained(boolean dummyPrefix) {
    TokenizerRecipe recipe =
        new TokenizerRecipe(700, null, null, null, dummyPrefix, null, null, EXTRA);
    return BpeTrainer.train(recipe, documents().iterator(), Progress.silent());
  }

  /// The sources of this module, which every checkout has.
  private static List<String> documents() {
    Path root = moxin.testing.SharedData.projectRoot().resolve("text/src/main/java");
    try (java.util.stream.Stream<Path> files = Files.walk(root)) {
      List<String> documents = new ArrayList<>();
      for (Path file : files.filter(f -> f.toString().endsWith(".java")).sorted().toList()) {
        documents.add(Files.readString(file));
      }
      return documents;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
