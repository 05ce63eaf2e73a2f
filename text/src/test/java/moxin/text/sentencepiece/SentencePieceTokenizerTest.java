package moxin.text.sentencepiece;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import moxin.job.Progress;
import moxin.testing.Seeded;
import moxin.text.Tokenizer;
import moxin.text.TokenizerFormatException;
import org.junit.jupiter.api.Test;

@Seeded
final class SentencePieceTokenizerTest {

  private static SentencePieceModel small() {
    return BpeTrainer.train(
            TokenizerRecipe.ofVocabSize(330),
            List.of("the cat sat on the mat\n    the hat is on the cat").iterator(),
            Progress.silent())
        .model();
  }

  @Test
  void idsDoNotDependOnThreads(Random random) throws InterruptedException, ExecutionException {
    Tokenizer tokenizer = SentencePieceTokenizer.of("small", small());
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      StringBuilder text = new StringBuilder();
      for (int n = random.nextInt(200); n > 0; n--) {
        text.append("the cat\nis é".charAt(random.nextInt(12)));
      }
      texts.add(text.toString());
    }
    List<int[]> expected =
        texts.stream().map(SentencePieceTokenizer.of("fresh", small())::encode).toList();
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<List<int[]>>> results = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        results.add(threads.submit(() -> texts.stream().map(tokenizer::encode).toList()));
      }
      for (Future<List<int[]>> result : results) {
        for (int i = 0; i < texts.size(); i++) {
          assertThat(result.get().get(i)).isEqualTo(expected.get(i));
        }
      }
    }
  }

  @Test
  void heapAndScanAgree(Random random) {
    MergeTable table = new MergeTable("small", small());
    for (int round = 0; round < 300; round++) {
      int length = 1 + random.nextInt(39);
      int[] symbols = new int[length];
      for (int i = 0; i < length; i++) {
        symbols[i] = table.symbol("the cas".charAt(random.nextInt(7)));
      }
      SymbolMerger scan = new SymbolMerger(table);
      SymbolMerger heap = new SymbolMerger(table);
      IntList scanned = new IntList(8);
      IntList heaped = new IntList(8);
      scan.begin();
      heap.begin();
      Arrays.stream(symbols).forEach(scan::add);
      Arrays.stream(symbols).forEach(heap::add);
      scan.finish(scanned);
      heap.finishByHeap(heaped);
      assertThat(heaped.toArray()).isEqualTo(scanned.toArray());
    }
  }

  @Test
  void longRunsTakeTimeInProportion() {
    Tokenizer tokenizer = SentencePieceTokenizer.of("small", small());
    for (String unit : List.of("t", " ", "😀", "the cat ", "\n")) {
      String text = unit.repeat(1_000_000 / unit.length());
      assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text);
    }
  }

  @Test
  void mutatedModelsAreTypedErrorsOrTokenizers(Random random) throws IOException {
    byte[] good = small().toBytes();
    int failures = 0;
    for (int round = 0; round < 3000; round++) {
      byte[] bytes =
          Arrays.copyOf(good, random.nextInt(4) == 0 ? random.nextInt(good.length) : good.length);
      for (int i = random.nextInt(6); i > 0 && bytes.length > 0; i--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
      }
      try {
        Tokenizer tokenizer =
            SentencePieceTokenizer.of("fuzzed", SentencePieceModel.parse("fuzzed", bytes));
        int[] ids = tokenizer.encode("the cat  é\n");
        assertThat(tokenizer.decode(ids)).isNotNull();
      } catch (TokenizerFormatException e) {
        assertThat(e.getMessage()).startsWith("fuzzed").doesNotContain("\n");
        failures++;
      }
    }
    assertThat(failures).isGreaterThan(500);
  }

  @Test
  void bytesThatAreNoUtf8BecomeReplacementsOneByOne() {
    Tokenizer tokenizer = SentencePieceTokenizer.of("small", small());
    int[] broken = {3 + 0xE2, 3 + 0x82, 3 + 'a', 3 + 0xF0, 3 + 0x9F, 3 + 0xC3, 1, 3 + 0xA9};
    String expected = "��a����";
    assertThat(tokenizer.decode(broken)).isEqualTo(expected);
    assertThat(SentencePieceVectorsParityTest.streamed(tokenizer, broken)).isEqualTo(expected);
  }

  @Test
  void theBytesOfTokensAddUpToTheText(Random random) {
    Tokenizer tokenizer = SentencePieceTokenizer.of("small", small());
    assertThat(tokenizer.bytes(1)).isEmpty();
    assertThat(tokenizer.bytes(3 + 0xE2)).containsExactly(0xE2);
    for (int round = 0; round < 200; round++) {
      StringBuilder text = new StringBuilder("a");
      for (int n = random.nextInt(60); n > 0; n--) {
        text.append("the cat\nis é".charAt(random.nextInt(12)));
      }
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      for (int id : tokenizer.encode(text.toString())) {
        bytes.writeBytes(tokenizer.bytes(id));
      }
      assertThat(bytes.toString(StandardCharsets.UTF_8)).endsWith(text.toString());
      assertThat(bytes.size())
          .isLessThanOrEqualTo(text.toString().getBytes(StandardCharsets.UTF_8).length + 1);
    }
    assertThatThrownBy(() -> tokenizer.bytes(-1)).isInstanceOf(IllegalArgumentException.class);
  }
}
