package moxin.infer.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import moxin.infer.CpuModel;
import moxin.infer.EngineOptions;
import moxin.infer.FinishReason;
import moxin.infer.Generation;
import moxin.infer.Generator;
import moxin.infer.KvType;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.TinyModels;
import moxin.testing.Seeded;
import moxin.testing.SharedData;
import moxin.text.Tokenizer;
import moxin.text.Tokenizers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Random joins, leaves and cancellations for some seconds on the CPU engine, with speculation and
/// a small prefix cache; every text must have the ids that it has alone.
@Seeded
@Timeout(300)
final class SchedulerStressTest {

  @Test
  void textsOfATrainedModel(Random random) throws Exception {
    Path directory = SharedData.require("reference/stories260K-hf");
    Tokenizer tokenizer = Tokenizers.load(directory.resolve("tok512.model"));
    try (CpuModel model = CpuModel.load(directory, EngineOptions.defaults())) {
      stress(model, tokenizer, new RandomTraffic(random, 512, 160, 60), random);
    }
  }

  @Test
  void textsOfAModelWithARollingCache(Random random) throws InterruptedException {
    ModelConfig config = TinyModels.config(OptionalInt.of(16));
    try (CpuModel model =
        CpuModel.of(
            config, TinyModels.weights(config, DType.F32, random), EngineOptions.defaults())) {
      stress(model, new LetterTokenizer(), new RandomTraffic(random, 29, 600, 120), random);
    }
  }

  private record Sent(ScheduledRequest request, ScheduledGeneration scheduled) {}

  private static void stress(
      CpuModel model, Tokenizer tokenizer, RandomTraffic traffic, Random random)
      throws InterruptedException {
    CacheSize size = CacheSize.of(model.config(), KvType.F32);
    SchedulerOptions options =
        SchedulerOptions.defaults(CacheSize.of(model.config(), KvType.F32))
            .withMaxSessions(7)
            .withTokensPerStep(48)
            .withCache(size, 7 * size.bytes(400), 4 * size.bytes(400))
            .withSpeculation(Speculation.promptLookup());
    List<Sent> sent = new ArrayList<>();
    try (Scheduler scheduler = Scheduler.start(model, tokenizer, options)) {
      long end = System.nanoTime() + Duration.ofSeconds(4).toNanos();
      while (System.nanoTime() < end && sent.size() < 250) {
        ScheduledRequest request = traffic.next();
        sent.add(new Sent(request, scheduler.submit(request)));
        if (random.nextInt(8) == 0) {
          sent.get(random.nextInt(sent.size())).scheduled().cancel();
        }
        Thread.sleep(random.nextInt(25));
      }
      assertThat(scheduler.drain(Duration.ofMinutes(2))).isTrue();
      SchedulerMetrics metrics = scheduler.metrics();
      assertThat(metrics.failed()).isZero();
      assertThat(metrics.reusedTokens()).isPositive();
      assertThat(metrics.finished() + metrics.cancelled()).isEqualTo(sent.size());
    }
    Generator alone = new Generator(model, tokenizer);
    for (Sent one : sent) {
      assertSameAlone(one.scheduled().completion().join(), one.request(), alone);
    }
  }

  private static void assertSameAlone(
      Generation actual, ScheduledRequest request, Generator generator) {
    Generation alone =
        generator.generate(request.promptIds(), request.options(), _ -> {}, () -> false);
    if (actual.reason() == FinishReason.CANCELLED) {
      assertThat(Arrays.copyOf(alone.ids(), actual.ids().length)).isEqualTo(actual.ids());
    } else {
      assertThat(actual.ids()).isEqualTo(alone.ids());
      assertThat(actual.text()).isEqualTo(alone.text());
      assertThat(actual.reason()).isEqualTo(alone.reason());
    }
  }
}
