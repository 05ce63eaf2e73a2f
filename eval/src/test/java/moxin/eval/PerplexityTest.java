package moxin.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.OptionalInt;
import java.util.Random;
import moxin.job.Progress;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Seeded
class PerplexityTest {
  private final BigramModel model = new BigramModel(256, 512, 0.5);
  private final ByteTokenizer tokenizer = new ByteTokenizer();

  @ParameterizedTest
  @ValueSource(ints = {4, 7, 8, 13, 32, 33, 257})
  void theSecondHalfOfEveryWholeChunkIsPredicted(int context, Random random) {
    String text = letters(3 * context + 1, random);
    Perplexity measured = measure(text, context, OptionalInt.empty());
    double sum = 0;
    double squares = 0;
    int count = 0;
    for (int chunk = 0; chunk < 3; chunk++) {
      for (int at = context / 2; at < context - 1; at++) {
        // The text's ids begin with beginning-of-sequence, so that id i is letter i − 1.
        int id = chunk * context + at;
        double surprise = -model.logProbability(text.charAt(id - 1), text.charAt(id));
        sum += surprise;
        squares += surprise * surprise;
        count++;
      }
    }
    double mean = sum / count;
    assertThat(measured.chunks()).isEqualTo(3);
    assertThat(measured.context()).isEqualTo(context);
    assertThat(measured.scoredTokens()).isEqualTo(count);
    assertThat(Math.log(measured.perplexity())).isCloseTo(mean, within(1e-6));
    double variance = Math.max(0, squares / count - mean * mean);
    double error = Math.exp(mean) * Math.sqrt(variance / (count - 1));
    assertThat(measured.standardError()).isCloseTo(error, within(1e-3 * (1 + error)));
  }

  @Test
  void aLimitReadsTheFirstChunks(Random random) {
    String text = letters(257, random);
    Perplexity two = measure(text, 32, OptionalInt.of(2));
    assertThat(two).isEqualTo(measure(text.substring(0, 64), 32, OptionalInt.empty()));
  }

  @Test
  void whatDoesNotFitIsRefused(Random random) {
    assertThatThrownBy(() -> measure(letters(30, random), 32, OptionalInt.empty()))
        .isInstanceOf(TaskDataException.class)
        .hasMessage("the text has 31 tokens, fewer than a context of 32");
    assertThatThrownBy(() -> measure("abcdefgh", 513, OptionalInt.empty()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a context has between 4 and 512 tokens, found 513");
  }

  private Perplexity measure(String text, int context, OptionalInt limit) {
    return Perplexity.of(model, tokenizer, text, context, limit, Progress.silent());
  }

  private static String letters(int count, Random random) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < count; i++) {
      text.append((char) ('a' + random.nextInt(26)));
    }
    return text.toString();
  }
}
