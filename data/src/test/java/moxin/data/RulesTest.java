package moxin.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import moxin.data.DocumentFilter.Verdict;
import moxin.data.Draft.Form;
import moxin.job.RecipeException;
import moxin.job.RecipeFile;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;

final class RulesTest {

  @Test
  void theShortDocumentRuleIgnoresPunctuationAndWhiteSpace() {
    DocumentFilter filter = Filters.shorterThan(200);
    assertThat(filter.judge(prose("ab".repeat(100)))).isEqualTo(Verdict.KEEP);
    assertThat(filter.judge(prose("a, \n\t".repeat(199))))
        .isEqualTo(new Verdict.Drop("short-text"));
  }

  @Test
  void tablesAndWideLinesAreNoCode() {
    assertThat(Filters.longLines().judge(code("x".repeat(1001) + "\n" + "y\n".repeat(100))))
        .isEqualTo(new Verdict.Drop("long-lines"));
    assertThat(Filters.fewLetters().judge(code("0x12, 0x34, 77, 8, \\u1234\n".repeat(30))))
        .isEqualTo(new Verdict.Drop("few-letters"));
    assertThat(Filters.fewLetters().judge(code("int a = 0;\n".repeat(30)))).isEqualTo(Verdict.KEEP);
  }

  @Test
  void textIsNormalisedToNfcWithLineFeeds() {
    assertThat(Utf8.normalize("\uFEFFe\u0301\r\nb\r")).isEqualTo("\u00E9\nb\n");
  }

  @Test
  void replacedBytesAreCounted() {
    byte[] bytes = {'a', (byte) 0xFF, (byte) 0xEF, (byte) 0xBF, (byte) 0xBD};
    assertThat(Utf8.decode(bytes)).isEqualTo(new Utf8.Decoded("a\uFFFD\uFFFD", 1));
  }

  @Test
  @Seeded
  void byteLengthIsThatOfTheEncoder(Random random) {
    for (int i = 0; i < 500; i++) {
      StringBuilder text = new StringBuilder();
      for (int j = 0; j < random.nextInt(20); j++) {
        text.append(
            (char)
                (random.nextBoolean() ? random.nextInt(0x10000) : 0xD7F0 + random.nextInt(0x900)));
      }
      assertThat(Utf8.byteLength(text.toString()))
          .isEqualTo(text.toString().getBytes(StandardCharsets.UTF_8).length);
    }
  }

  @Test
  void bandsFavourFindingPairsAtTheThreshold() {
    MinHash minHash = MinHash.of(CorpusRecipe.NearDuplicates.slimPajama());
    assertThat(minHash.bands()).isEqualTo(16);
    assertThat(minHash.rows()).isEqualTo(8);
  }

  @Test
  @Seeded
  void signaturesEstimateJaccard(Random random) {
    MinHash minHash = MinHash.of(new CorpusRecipe.NearDuplicates(13, 0.8, 2048));
    long[] a = random.longs(2000).toArray();
    long[] b = a.clone();
    for (int i = 0; i < 500; i++) {
      b[i] = random.nextLong();
    }
    int[] signatureA = minHash.signature(a);
    int[] signatureB = minHash.signature(b);
    int equal = 0;
    for (int i = 0; i < signatureA.length; i++) {
      equal += signatureA[i] == signatureB[i] ? 1 : 0;
    }
    // 1500 of 2500 shared; four standard deviations of 2048 trials are 0.043.
    assertThat((double) equal / signatureA.length).isBetween(0.55, 0.65);
  }

  @Test
  void shinglesAreCharactersOfFoldedText() {
    assertThat(new String(Shingles.comparable("  Hello,\n\n WORLD! "))).isEqualTo("hello world");
    assertThat(Shingles.set("abcdefghijklmno", 13)).hasSize(3);
    assertThat(Shingles.set("AB-CDE fghijklmno", 13)).hasSize(4);
    assertThat(Shingles.hashes(Shingles.comparable("abcabcabc"), 3)[0])
        .isEqualTo(Shingles.hashes(Shingles.comparable("abcabcabc"), 3)[3]);
  }

  @Test
  void theSmallestOfConnectedNearDuplicatesStaysWhateverTheOrder() {
    String text = "the quick brown fox jumps over the lazy dog and runs far away. ".repeat(3);
    MinHash minHash = MinHash.of(CorpusRecipe.NearDuplicates.slimPajama());
    List<NearDuplicateSearch.Candidate> candidates =
        List.of(
            candidate("c", "3", text + "x", minHash),
            candidate("a", "1", text, minHash),
            candidate("b", "2", text + "yz", minHash),
            candidate("d", "1", text + "q", minHash));
    NearDuplicateSearch search = new NearDuplicateSearch(CorpusRecipe.NearDuplicates.slimPajama());
    assertThat(search.duplicates(candidates))
        .isEqualTo(search.duplicates(candidates.reversed()))
        .containsEntry("b", "a")
        .containsEntry("c", "a");
  }

  @Test
  void documentsOfOneFileAreNotCompared() {
    String text = "the quick brown fox jumps over the lazy dog and runs far away. ".repeat(3);
    MinHash minHash = MinHash.of(CorpusRecipe.NearDuplicates.slimPajama());
    assertThat(
            new NearDuplicateSearch(CorpusRecipe.NearDuplicates.slimPajama())
                .duplicates(
                    List.of(
                        candidate("a", "1", text, minHash), candidate("b", "1", text, minHash))))
        .isEmpty();
  }

  @Test
  void talliesShowTheFirstExampleInNaturalOrder() {
    Tally tally = new Tally();
    tally.add(Tally.SKIPPED, "s", "malformed-json", 0, 0, "a.jsonl:10", "");
    tally.add(Tally.SKIPPED, "s", "malformed-json", 0, 0, "a.jsonl:9", "");
    assertThat(tally.count(Tally.SKIPPED, "s", "malformed-json").example()).isEqualTo("a.jsonl:9");
  }

  @Test
  void aRecipeIsReadWithItsDefaultsAndWrittenBack() {
    RecipeFile file =
        RecipeFile.parse(
            "r.yaml",
            "data:\n  sources:\n    - {name: code, kind: jdk-code, include: ['*.java']}\n");
    CorpusRecipe recipe = file.requiredSection("data", CorpusRecipe.class);
    assertThat(recipe.minimumCharacters()).isEqualTo(200);
    assertThat(recipe.nearDuplicates()).isEqualTo(CorpusRecipe.NearDuplicates.slimPajama());
    assertThat(file.with("data", recipe).requiredSection("data", CorpusRecipe.class))
        .isEqualTo(recipe);
  }

  @Test
  void misspeltAndImpossibleSettingsAreRefused() {
    assertThatThrownBy(() -> recipe("  minimumCharacter: 3\n"))
        .isInstanceOf(RecipeException.class)
        .hasMessageContaining("minimumCharacters");
    assertThatThrownBy(() -> recipe("  validationFraction: 0.9\n"))
        .isInstanceOf(RecipeException.class)
        .hasMessageContaining("between 0 and 0.5");
  }

  private static CorpusRecipe recipe(String rest) {
    return RecipeFile.parse("r.yaml", "data:\n  sources: [{name: c, kind: jdk-code}]\n" + rest)
        .requiredSection("data", CorpusRecipe.class);
  }

  private static NearDuplicateSearch.Candidate candidate(
      String id, String splitKey, String text, MinHash minHash) {
    return new NearDuplicateSearch.Candidate(id, splitKey, text, minHash.bandHashes(text));
  }

  private static Draft prose(String text) {
    return new Draft("id", "s", Form.PROSE, "k", "NONE", text);
  }

  private static Draft code(String text) {
    return new Draft("id", "s", Form.CODE, "k", "NONE", text);
  }
}
