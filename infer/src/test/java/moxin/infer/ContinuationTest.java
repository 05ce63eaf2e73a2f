package moxin.infer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import moxin.infer.constraint.Grammar;
import moxin.infer.constraint.TokenConstraint;
import moxin.model.Logits;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;

/// What generation options do, on models that say what a test wants.
@Seeded
final class ContinuationTest {
  private static final PieceTokenizer TOKENIZER = PieceTokenizer.withBytes("END", "foo EN", "日本");
  private static final int V = TOKENIZER.vocabSize();

  /// Says `text`, then ends.
  private static Generator saying(String text) {
    int[] ids = TOKENIZER.encode(text);
    return new Generator(
        new ScriptedModel(
            V,
            tokens -> {
              float[] logits = new float[V];
              int at = tokens.length - 1;
              logits[at < ids.length ? ids[at] : 1] = 10;
              logits[2 + 'z'] = 5;
              return logits;
            }),
        TOKENIZER);
  }

  private static GenerationOptions greedy(String... stops) {
    return new GenerationOptions(SamplingOptions.greedy(), 40, List.of(stops));
  }

  @Test
  void stopStringsEndAnswersInsideAndAcrossTokens() {
    assertThat(saying("a foo ENDs").generate("", greedy("foo"))).satisfies(this::stopped);
    assertThat(saying("a foo ENDs").generate("", greedy("END")).text()).isEqualTo("a foo ");
    assertThat(saying("x日本é").generate("", greedy("本é")).text()).isEqualTo("x日");
    assertThat(saying("x日本").generate("", greedy("本é")).text()).isEqualTo("x日本");
  }

  private void stopped(Generation generation) {
    assertThat(generation.text()).isEqualTo("a ");
    assertThat(generation.reason()).isEqualTo(FinishReason.STOP);
  }

  @Test
  void stopTokensEndAnswersAndAreNoPartOfThem() {
    int stop = TOKENIZER.encode("日本")[0];
    Generation generation = saying("ab日本c").generate("", greedy().withStopTokens(Set.of(stop)));
    assertThat(generation.text()).isEqualTo("ab");
    assertThat(generation.ids()).hasSize(2);
    assertThat(generation.reason()).isEqualTo(FinishReason.STOP);
  }

  @Test
  void thereAreAtLeastSoManyTokens() {
    Generation generation = saying("ab").generate("", greedy().withMinNewTokens(5));
    assertThat(generation.text()).isEqualTo("abzzz");
    assertThat(generation.reason()).isEqualTo(FinishReason.STOP);
  }

  @Test
  void anIgnoredEndIsNeverDrawn() {
    Generation generation =
        saying("ab")
            .generate("", greedy().withEndOfSequence(GenerationOptions.EndOfSequence.IGNORED));
    assertThat(generation.text()).isEqualTo("ab" + "z".repeat(38));
    assertThat(generation.reason()).isEqualTo(FinishReason.LENGTH);
  }

  @Test
  void idsOutsideTheVocabularyAreRefused() {
    Generator generator = saying("a");
    for (GenerationOptions bad :
        List.of(
            greedy().withStopTokens(Set.of(V)),
            new GenerationOptions(
                SamplingOptions.greedy().withLogitBias(Map.of(V, 1.0)), 3, List.of()))) {
      assertThatThrownBy(() -> generator.generate("", bad))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining(Integer.toString(V));
    }
    assertThatThrownBy(() -> greedy().withLogProbabilities(-1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void scoresAreTheModelsWhateverIsDrawn(Random random) {
    long seed = random.nextLong();
    ScriptedModel model =
        new ScriptedModel(
            V,
            tokens -> {
              Random here = new Random(seed + Arrays.hashCode(tokens));
              float[] logits = new float[V];
              for (int i = 0; i < V; i++) {
                logits[i] = (float) here.nextGaussian() * 3;
              }
              logits[1] = Float.NEGATIVE_INFINITY;
              return logits;
            });
    Generator generator = new Generator(model, TOKENIZER);
    List<GenerationEvent> events = new ArrayList<>();
    GenerationOptions options =
        new GenerationOptions(SamplingOptions.of(0.7, 3).withTopK(5), 12, List.of())
            .withLogProbabilities(3)
            .withPromptLogProbabilities(2);
    int[] prompt = generator.promptIds("xy".repeat(1500));
    Generation generation = generator.generate(prompt, options, events::add, () -> false);

    assertThat(model.mostRows).isLessThanOrEqualTo(256);
    int[] all = IntStream.concat(IntStream.of(prompt), IntStream.of(generation.ids())).toArray();
    List<ScoredToken> scores = new ArrayList<>(generation.promptScores());
    assertThat(scores).hasSize(prompt.length - 1);
    scores.addAll(generation.scores());
    assertThat(scores).hasSize(all.length - 1);
    try (var session = model.newSession()) {
      Logits logits = session.ingest(all, moxin.model.LogitRows.ALL);
      for (int i = 1; i < all.length; i++) {
        check(scores.get(i - 1), logits, i - 1, all[i], i < prompt.length ? 2 : 3);
      }
    }
    assertThat(
            events.stream()
                .flatMap(
                    event ->
                        switch (event) {
                          case GenerationEvent.PromptScored scored -> scored.tokens().stream();
                          case GenerationEvent.TokenScored scored ->
                              List.of(scored.token()).stream();
                          case GenerationEvent.TextDelta _, GenerationEvent.Finished _ ->
                              List.<ScoredToken>of().stream();
                        })
                .toList())
        .isEqualTo(scores);
  }

  private static void check(ScoredToken score, Logits logits, int row, int id, int rivals) {
    assertThat(score.token().id()).isEqualTo(id);
    assertThat(score.token().logProbability())
        .isEqualTo(logits.logProbability(row, id), within(1e-9));
    assertThat(score.token().bytes()).isEqualTo(TOKENIZER.bytes(id));
    int[] best =
        IntStream.range(0, V)
            .boxed()
            .sorted((a, b) -> Float.compare(logits.at(row, b), logits.at(row, a)))
            .limit(rivals)
            .mapToInt(i -> i)
            .toArray();
    assertThat(score.top().stream().mapToInt(ScoredToken.Candidate::id))
        .containsExactly(Arrays.stream(best).boxed().toArray(Integer[]::new));
    for (ScoredToken.Candidate rival : score.top()) {
      assertThat(rival.logProbability())
          .isEqualTo(logits.logProbability(row, rival.id()), within(1e-9));
    }
  }

  @Test
  void constraintsEndTheAnswerWhereNothingCanFollow() {
    Generator generator = saying("ab12cd");
    TokenConstraint constraint =
        TokenConstraint.of(Grammar.regex("[a-c]*\\d\\d"), generator.vocabulary());
    Generation generation = generator.generate("", greedy().withConstraint(constraint));
    assertThat(generation.text()).isEqualTo("ab12");
    assertThat(generation.reason()).isEqualTo(FinishReason.STOP);
    assertThat(
            generator
                .generate(
                    "",
                    new GenerationOptions(SamplingOptions.greedy(), 3, List.of())
                        .withConstraint(constraint))
                .reason())
        .isEqualTo(FinishReason.LENGTH);
  }

  @Test
  void withoutAnyTokenTheAnswerSaysSo() {
    Generator generator = saying("a");
    GenerationOptions options =
        new GenerationOptions(
                SamplingOptions.greedy().withLogitBias(Map.of(2 + 'a', Double.NEGATIVE_INFINITY)),
                9,
                List.of())
            .withConstraint(TokenConstraint.of(Grammar.regex("ba"), generator.vocabulary()));
    Generation generation = generator.generate("", options);
    assertThat(generation.text()).isEqualTo("b");
    assertThat(generation.reason()).isEqualTo(FinishReason.NO_TOKEN);
  }
}
