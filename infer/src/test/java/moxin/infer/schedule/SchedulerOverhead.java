package moxin.infer.schedule;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import moxin.infer.CpuModel;
import moxin.infer.EngineOptions;
import moxin.infer.GenerationOptions;
import moxin.infer.KvType;
import moxin.infer.SamplingOptions;
import moxin.text.Tokenizer;
import moxin.text.Tokenizers;

/// Prints the aggregate decode rate by batch, and how much of a step is not the model's.
///
/// Arguments: the model's directory, its tokenizer's file.
final class SchedulerOverhead {

  private SchedulerOverhead() {}

  /// Runs the measurement.
  public static void main(String[] arguments) throws Exception {
    Tokenizer tokenizer = Tokenizers.load(Path.of(arguments[1]));
    try (CpuModel model = CpuModel.load(Path.of(arguments[0]), EngineOptions.defaults())) {
      for (int round = 0; round < 2; round++) {
        for (int batch : new int[] {1, 2, 4, 8}) {
          for (Speculation speculation : List.of(Speculation.none(), Speculation.promptLookup())) {
            measure(model, tokenizer, batch, speculation);
          }
        }
      }
    }
  }

  private static void measure(
      CpuModel model, Tokenizer tokenizer, int batch, Speculation speculation)
      throws InterruptedException {
    SchedulerOptions options =
        SchedulerOptions.defaults(CacheSize.of(model.config(), KvType.F32))
            .withMaxSessions(batch)
            .withSpeculation(speculation);
    int newTokens = Math.min(400, model.config().maxPositionEmbeddings() - 10);
    try (Scheduler scheduler = Scheduler.start(model, tokenizer, options)) {
      for (int i = 0; i < 6 * batch; i++) {
        int[] prompt = {1, 10 + i, 20 + i, 30 + i};
        SamplingOptions sampling = SamplingOptions.greedy();
        scheduler.submit(
            ScheduledRequest.of(prompt, new GenerationOptions(sampling, newTokens, List.of())));
      }
      scheduler.drain(Duration.ofMinutes(5));
      SchedulerMetrics metrics = scheduler.metrics();
      double seconds = (metrics.modelTime().toNanos() + metrics.otherTime().toNanos()) * 1e-9;
      System.err.printf(
          Locale.ROOT,
          "batch %d  %-12s  %.0f tokens/s  step %.0f us  between passes %.1f us  accepted %d/%d%n",
          batch,
          speculation.getClass().getSimpleName(),
          metrics.newTokens() / seconds,
          metrics.modelTime().toNanos() / 1e3 / metrics.steps(),
          metrics.otherTime().toNanos() / 1e3 / metrics.steps(),
          metrics.acceptedTokens(),
          metrics.proposedTokens());
    }
  }
}
