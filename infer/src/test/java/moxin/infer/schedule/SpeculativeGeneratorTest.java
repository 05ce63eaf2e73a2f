package moxin.infer.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.LongUnaryOperator;
import moxin.infer.CpuModel;
import moxin.infer.EngineOptions;
import moxin.infer.Generation;
import moxin.infer.GenerationEvent;
import moxin.infer.GenerationOptions;
import moxin.infer.Generator;
import moxin.infer.SamplingOptions;
import moxin.infer.constraint.Grammar;
import moxin.infer.constraint.TokenConstraint;
import moxin.infer.schedule.SpeculativeGenerator.Outcome;
import moxin.model.Checkpoint;
import moxin.model.DType;
import moxin.model.LanguageModel.Session;
import moxin.model.LogitRows;
import moxin.model.ModelConfig;
import moxin.model.TinyModels;
import moxin.testing.Seeded;
import moxin.testing.SharedData;
import moxin.text.Tokenizer;
import moxin.text.Tokenizers;
import org.junit.jupiter.api.Test;

/// Speculation changes how fast a text is written, and nothing else.
@Seeded
final class SpeculativeGeneratorTest {
  private static final LetterTokenizer LETTERS = new LetterTokenizer();

  /// A pass that is bound by reading the weights.
  private static long memoryBound(long n) {
    return 100_000 + 5_000 * n;
  }

  /// A pass that is bound by arithmetic.
  private static long computeBound(long n) {
    return 1_000 + 100_000 * n;
  }

  private static List<Speculation> speculations(HashModel draftModel) {
    return List.of(
        Speculation.none(),
        Speculation.promptLookup(),
        new Speculation.PromptLookup(1),
        new Speculation.PromptLookup(64),
        Speculation.draftModel(draftModel));
  }

  @Test
  void everySeedWritesTheTextItWritesAlone(Random random) {
    for (OptionalInt window : List.of(OptionalInt.empty(), OptionalInt.of(6))) {
      HashModel model = new HashModel(2, 4, window, 9, SpeculativeGeneratorTest::memoryBound);
      HashModel drafts = new HashModel(1, 4, window, 5, n -> 9_000 + n);
      Generator generator = new Generator(model, LETTERS);
      for (Speculation speculation : speculations(drafts)) {
        SpeculativeGenerator speculative =
            new SpeculativeGenerator(model, LETTERS, speculation, model.clock::get);
        for (int i = 0; i < 30; i++) {
          int[] prompt = random.ints(1 + random.nextInt(40), 3, 29).toArray();
          GenerationOptions options = options(random, i);
          Generation expected = generator.generate(prompt, options, _ -> {}, () -> false);
          List<GenerationEvent> events = new ArrayList<>();
          Outcome outcome = speculative.generate(prompt, options, events::add, () -> false);
          assertThat(outcome.generation().ids()).isEqualTo(expected.ids());
          assertThat(outcome.generation().text()).isEqualTo(expected.text());
          assertThat(outcome.generation().reason()).isEqualTo(expected.reason());
          assertThat(text(events)).isEqualTo(expected.text());
        }
      }
      assertThat(model.open).hasValue(0);
      assertThat(drafts.open).hasValue(0);
    }
  }

  @Test
  void everyOptionMeansWhatItMeansAlone(Random random) {
    HashModel model =
        new HashModel(2, 4, OptionalInt.empty(), 9, SpeculativeGeneratorTest::memoryBound);
    HashModel drafts = new HashModel(1, 4, OptionalInt.empty(), 5, n -> 9_000 + n);
    Generator generator = new Generator(model, LETTERS);
    TokenConstraint constraint =
        TokenConstraint.of(Grammar.regex("([a-m]{2}[n-z])+"), generator.vocabulary());
    for (Speculation speculation : speculations(drafts)) {
      SpeculativeGenerator speculative =
          new SpeculativeGenerator(model, LETTERS, speculation, model.clock::get);
      for (int i = 0; i < 20; i++) {
        int[] prompt = random.ints(1 + random.nextInt(300), 3, 29).toArray();
        GenerationOptions options =
            new GenerationOptions(
                    new SamplingOptions(0.4 * (i % 3), i % 5, 1, 0, i)
                        .withPenalties(new SamplingOptions.Penalties(1.3, 0.2, 0.1, 30))
                        .withLogitBias(Map.of(3 + i, 1.5)),
                    60,
                    List.of())
                .withMinNewTokens(i)
                .withStopTokens(Set.of(4 + i % 3))
                .withLogProbabilities(2)
                .withPromptLogProbabilities(1);
        if (i % 2 == 0) {
          options = options.withConstraint(constraint);
        }
        List<GenerationEvent> alone = new ArrayList<>();
        Generation expected = generator.generate(prompt, options, alone::add, () -> false);
        List<GenerationEvent> events = new ArrayList<>();
        Generation actual =
            speculative.generate(prompt, options, events::add, () -> false).generation();
        assertThat(actual.ids()).isEqualTo(expected.ids());
        assertThat(actual.text()).isEqualTo(expected.text());
        assertThat(actual.reason()).isEqualTo(expected.reason());
        assertThat(actual.scores())
            .hasSameSizeAs(expected.ids())
            .usingRecursiveFieldByFieldElementComparator()
            .isEqualTo(expected.scores());
        assertThat(actual.promptScores())
            .hasSize(prompt.length - 1)
            .usingRecursiveFieldByFieldElementComparator()
            .isEqualTo(expected.promptScores());
        assertThat(scored(events))
            .usingRecursiveFieldByFieldElementComparator()
            .isEqualTo(scored(alone));
      }
    }
  }

  private static List<GenerationEvent> scored(List<GenerationEvent> events) {
    return events.stream().filter(event -> event instanceof GenerationEvent.TokenScored).toList();
  }

  private static GenerationOptions options(Random random, int i) {
    SamplingOptions sampling =
        i % 3 == 0
            ? SamplingOptions.greedy()
            : new SamplingOptions(0.2 + 0.3 * (i % 4), i % 5, 1 - 0.05 * (i % 3), 0, i);
    List<String> stops = i % 4 == 0 ? List.of("ab", "q") : List.of();
    return new GenerationOptions(sampling, random.nextInt(200), stops);
  }

  private static String text(List<GenerationEvent> events) {
    StringBuilder text = new StringBuilder();
    for (GenerationEvent event : events) {
      if (event instanceof GenerationEvent.TextDelta delta) {
        text.append(delta.text());
      }
    }
    return text.toString();
  }

  @Test
  void drawnDraftsLeaveTheDistributionOfWholeTextsAsItIs() {
    // Passes of one cost, so that as much is proposed as may be.
    HashModel model = new HashModel(1, 1, OptionalInt.empty(), 0, _ -> 100_000);
    HashModel drafts = new HashModel(1, 0.5f, OptionalInt.empty(), 0, n -> 1);
    int[] prompt = {1, 7};
    int newTokens = 4;
    Speculation.Model drawn = new Speculation.Model(drafts, 3, Speculation.Drafting.SAMPLED);
    SpeculativeGenerator speculative =
        new SpeculativeGenerator(model, LETTERS, drawn, model.clock::get);
    int[] counts = new int[HashModel.VOCABULARY];
    int proposed = 0;
    int draws = 20_000;
    for (int seed = 0; seed < draws; seed++) {
      GenerationOptions options =
          new GenerationOptions(new SamplingOptions(1, 0, 1, 0, seed), newTokens, List.of());
      Outcome outcome = speculative.generate(prompt, options, _ -> {}, () -> false);
      int[] ids = outcome.generation().ids();
      counts[ids.length == newTokens ? ids[newTokens - 1] : HashModel.END]++;
      proposed += outcome.proposed();
    }
    assertThat(proposed).isGreaterThan(draws);
    TokenChoiceTest.assertFits(counts, lastToken(model, prompt, newTokens));
  }

  /// The distribution of the last of `count` tokens by summing over all texts, where a text that
  /// has ended counts as its end.
  private static TokenDistribution lastToken(HashModel model, int[] prompt, int count) {
    double[] now = new double[HashModel.VOCABULARY];
    now[prompt[prompt.length - 1]] = 1;
    for (int i = 0; i < count; i++) {
      double[] next = new double[now.length];
      for (int id = 0; id < now.length; id++) {
        boolean over = i > 0 && id == HashModel.END;
        if (over) {
          next[id] += now[id];
          continue;
        }
        try (Session session = model.newSession()) {
          TokenDistribution after =
              ReferenceDistribution.of(
                  session.ingest(new int[] {id}, LogitRows.LAST), 0, SamplingOptions.of(1, 0));
          for (int to = 0; to < now.length; to++) {
            next[to] += now[id] * after.probability(to);
          }
        }
      }
      now = next;
    }
    return new TokenDistribution(now);
  }

  @Test
  void aTextThatRepeatsIsWrittenMoreThanTwiceAsFast() {
    // Greedy texts of a model that sees two ids soon repeat themselves.
    assertThat(
            speedup(2, 1f, SamplingOptions.greedy(), 2000, SpeculativeGeneratorTest::memoryBound))
        .isGreaterThan(2.5);
  }

  @Test
  void aTextThatDoesNotRepeatIsNeverMuchSlower() {
    List<LongUnaryOperator> costs =
        List.of(SpeculativeGeneratorTest::memoryBound, SpeculativeGeneratorTest::computeBound);
    for (LongUnaryOperator cost : costs) {
      for (int length : new int[] {30, 100, 1000}) {
        for (int seed = 0; seed < 5; seed++) {
          // All tokens are as likely, so every repetition leads nowhere.
          double speedup = speedup(3, 0, SamplingOptions.of(1, seed), length, cost);
          assertThat(speedup).as("seed %s of %s tokens", seed, length).isGreaterThan(0.97);
        }
      }
    }
  }

  @Test
  void arithmeticBoundPassesAreNotLengthened() {
    assertThat(
            speedup(2, 1f, SamplingOptions.greedy(), 2000, SpeculativeGeneratorTest::computeBound))
        .isGreaterThan(0.97);
  }

  @Test
  void aBadDraftModelCostsLittle() {
    HashModel model =
        new HashModel(2, 1, OptionalInt.empty(), 0, SpeculativeGeneratorTest::memoryBound);
    HashModel drafts = new HashModel(3, 9, OptionalInt.empty(), 0, _ -> 0);
    drafts.before = _ -> model.clock.addAndGet(10_000);
    Speculation speculation = Speculation.draftModel(drafts);
    assertThat(speedup(model, speculation, SamplingOptions.greedy(), 1000)).isGreaterThan(0.95);
  }

  @Test
  void aGoodDraftModelHelps() {
    HashModel model =
        new HashModel(3, 1, OptionalInt.empty(), 0, SpeculativeGeneratorTest::memoryBound);
    HashModel drafts = new HashModel(3, 1, OptionalInt.empty(), 0, _ -> 0);
    drafts.before = _ -> model.clock.addAndGet(10_000);
    Speculation speculation = Speculation.draftModel(drafts);
    assertThat(speedup(model, speculation, SamplingOptions.of(0.1, 3), 500)).isGreaterThan(2);
  }

  private static double speedup(
      int order, float spread, SamplingOptions sampling, int length, LongUnaryOperator cost) {
    HashModel model = new HashModel(order, spread, OptionalInt.empty(), 0, cost);
    return speedup(model, Speculation.promptLookup(), sampling, length);
  }

  /// The time of a plain text over the time with speculation, both without their ends.
  private static double speedup(
      HashModel model, Speculation speculation, SamplingOptions sampling, int length) {
    GenerationOptions options = new GenerationOptions(sampling, length, List.of());
    SpeculativeGenerator plain =
        new SpeculativeGenerator(model, LETTERS, Speculation.none(), model.clock::get);
    SpeculativeGenerator fast =
        new SpeculativeGenerator(model, LETTERS, speculation, model.clock::get);
    long plainTime = 0;
    long fastTime = 0;
    for (int i = 3; i < 23; i++) {
      int[] prompt = {1, i, i + 1, i + 2, i + 3, i + 4, i + 5};
      long start = model.clock.get();
      plain.generate(prompt, options, _ -> {}, () -> false);
      long between = model.clock.get();
      fast.generate(prompt, options, _ -> {}, () -> false);
      plainTime += between - start;
      fastTime += model.clock.get() - between;
    }
    return (double) plainTime / fastTime;
  }

  @Test
  void greedyTextOfARealModelIsUnchanged() throws Exception {
    Path directory = SharedData.require("reference/stories260K-hf");
    Tokenizer tokenizer = Tokenizers.load(directory.resolve("tok512.model"));
    try (CpuModel model = CpuModel.load(directory, EngineOptions.defaults())) {
      Generator generator = new Generator(model, tokenizer);
      String story = "Once upon a time there was a dog. He said: I am a dog. He said:";
      for (Speculation speculation :
          List.of(new Speculation.PromptLookup(64), Speculation.draftModel(model))) {
        // A clock by which larger passes cost nothing, so that much is proposed.
        SpeculativeGenerator speculative =
            new SpeculativeGenerator(model, tokenizer, speculation, new Ticks());
        for (GenerationOptions options :
            List.of(
                GenerationOptions.greedy(220),
                new GenerationOptions(new SamplingOptions(0.8, 40, 0.95, 0, 3), 220, List.of()))) {
          int[] prompt = generator.promptIds(story);
          Generation expected = generator.generate(prompt, options, _ -> {}, () -> false);
          Outcome outcome = speculative.generate(prompt, options, _ -> {}, () -> false);
          assertThat(outcome.generation().ids()).isEqualTo(expected.ids());
          assertThat(outcome.accepted()).isPositive();
        }
      }
    }
  }

  /// Time that passes by one at every look.
  private static final class Ticks implements LongSupplier {
    private long now;

    @Override
    public long getAsLong() {
      return now++;
    }
  }

  @Test
  void theContextEndsATextWhereItEndsAlone(Random random) {
    ModelConfig config = TinyModels.config(OptionalInt.empty());
    Checkpoint weights = TinyModels.weights(config, DType.F32, random);
    try (CpuModel model = CpuModel.of(config, weights, EngineOptions.defaults())) {
      Generator generator = new Generator(model, LETTERS);
      SpeculativeGenerator speculative =
          new SpeculativeGenerator(model, LETTERS, new Speculation.PromptLookup(64), new Ticks());
      for (int length : new int[] {760, 788, 799, 800}) {
        int[] prompt = new int[length];
        Arrays.setAll(prompt, i -> 3 + i % 5);
        GenerationOptions options = GenerationOptions.greedy(60);
        Generation expected = generator.generate(prompt, options, _ -> {}, () -> false);
        Outcome outcome = speculative.generate(prompt, options, _ -> {}, () -> false);
        assertThat(outcome.generation().ids()).isEqualTo(expected.ids());
        assertThat(outcome.generation().reason()).isEqualTo(expected.reason());
      }
    }
  }

  @Test
  void aDraftModelOfAnotherVocabularyIsRefused() {
    HashModel model = HashModel.plain();
    ModelConfig config = TinyModels.config(OptionalInt.empty());
    Checkpoint weights = TinyModels.weights(config, DType.F32, new Random(1));
    try (CpuModel other = CpuModel.of(config, weights, EngineOptions.defaults())) {
      Speculation speculation = Speculation.draftModel(other);
      assertThatThrownBy(() -> new SpeculativeGenerator(model, LETTERS, speculation))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
