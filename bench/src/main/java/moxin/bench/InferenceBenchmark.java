package moxin.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import moxin.infer.CpuModel;
import moxin.infer.Generation;
import moxin.infer.GenerationOptions;
import moxin.infer.schedule.ScheduledRequest;
import moxin.infer.schedule.Scheduler;
import moxin.infer.schedule.SchedulerOptions;
import moxin.job.Progress;
import moxin.job.ResidentMemory;
import moxin.model.LanguageModel.Ingestion;
import moxin.model.LanguageModel.Session;
import moxin.model.LogitRows;
import moxin.text.Tokenizer;

/// Measures a loaded model: prefill of a prompt, decoding token by token, decoding of several
/// sequences together, in plain passes and through the scheduler, and the memory bandwidth of the
/// machine between the repetitions. Tokens are random, so that any model will do; figures are
/// medians.
public final class InferenceBenchmark {

  /// What to measure.
  ///
  /// @param prefill tokens of a prompt
  /// @param decode tokens decoded after an empty prompt
  /// @param batches how many sequences decode together; 1 is measured always
  /// @param repetitions of every measurement
  /// @param rival a program to run in turn, if any
  public record Options(
      int prefill, int decode, List<Integer> batches, int repetitions, Optional<LlamaBench> rival) {
    public Options {
      batches = List.copyOf(batches);
      if (prefill < 1 || decode < 1 || repetitions < 1) {
        throw new IllegalArgumentException("prefill, decode and repetitions must be at least 1");
      }
      if (batches.stream().anyMatch(batch -> batch < 1 || batch > 4096)) {
        throw new IllegalArgumentException("a batch has between 1 and 4096 sequences");
      }
    }
  }

  private final CpuModel model;
  private final Options options;
  private final Random random = new Random(1);

  public InferenceBenchmark(CpuModel model, Options options) {
    this.model = model;
    this.options = options;
  }

  /// Runs all measurements.
  ///
  /// @param load how long the model took to load
  public InferenceBenchmarkResult run(Duration load, int threads, Progress progress)
      throws IOException {
    prefill(Math.min(options.prefill, 64));
    List<Double> prefills = new ArrayList<>();
    List<Double> decodes = new ArrayList<>();
    List<Double> bandwidths = new ArrayList<>();
    Map<Integer, List<Double>> batches = new LinkedHashMap<>();
    Map<Integer, List<Double>> scheduled = new LinkedHashMap<>();
    List<LlamaBench.Rates> rivals = new ArrayList<>();
    try (VectorMemoryProbe probe = new VectorMemoryProbe(threads);
        Progress.Task task = progress.start("Measure", options.repetitions, "repetitions")) {
      probe.bytesPerSecond();
      for (int i = 0; i < options.repetitions; i++) {
        prefills.add(options.prefill / prefill(options.prefill));
        bandwidths.add(probe.bytesPerSecond());
        decodes.add(options.decode / decode(1));
        bandwidths.add(probe.bytesPerSecond());
        for (int batch : options.batches) {
          batches
              .computeIfAbsent(batch, _ -> new ArrayList<>())
              .add(batch * (double) options.decode / decode(batch));
          scheduled
              .computeIfAbsent(batch, _ -> new ArrayList<>())
              .add(batch * (double) options.decode / schedule(batch));
        }
        if (options.rival.isPresent()) {
          rivals.add(options.rival.get().run(options.prefill, options.decode, threads));
        }
        task.advance(1);
      }
    }
    double decode = median(decodes);
    double bandwidth = median(bandwidths);
    return new InferenceBenchmarkResult(
        model.kernels(),
        threads,
        model.config().parameterCount(),
        model.weightBytes(),
        load.toNanos() / 1e9,
        options.prefill,
        median(prefills),
        options.prefill / median(prefills) + 1 / decode,
        options.decode,
        decode,
        medians(batches),
        medians(scheduled),
        bandwidth / 1e9,
        decode * model.weightBytes() / bandwidth,
        rivals.isEmpty() ? Optional.empty() : Optional.of(medianRates(rivals)),
        ResidentMemory.bytes().orElse(0),
        ResidentMemory.peakBytes().orElse(0));
  }

  /// Seconds to read a prompt and compute the logits after it.
  private double prefill(int tokens) {
    int[] ids = ids(tokens);
    try (Session session = model.newSession()) {
      long start = System.nanoTime();
      session.ingest(ids, LogitRows.LAST);
      return (System.nanoTime() - start) / 1e9;
    }
  }

  /// Seconds to decode with `batch` sequences at once.
  private double decode(int batch) {
    List<Session> sessions = new ArrayList<>();
    try {
      for (int i = 0; i < batch; i++) {
        sessions.add(model.newSession());
      }
      step(sessions);
      long start = System.nanoTime();
      for (int i = 0; i < options.decode; i++) {
        step(sessions);
      }
      return (System.nanoTime() - start) / 1e9;
    } finally {
      sessions.forEach(Session::close);
    }
  }

  /// Seconds in which `batch` requests of a token are answered by the scheduler, from the first
  /// pass, which reads the prompts, to the last.
  private double schedule(int batch) {
    SchedulerOptions settings =
        SchedulerOptions.defaults(tokens -> 1)
            .withMaxSessions(batch)
            .withMaxQueued(batch)
            .withCache(_ -> 1, batch, 0);
    GenerationOptions generation =
        GenerationOptions.greedy(options.decode)
            .withEndOfSequence(GenerationOptions.EndOfSequence.IGNORED);
    Tokenizer tokenizer = new NoText(model.config().vocabSize());
    try (Scheduler scheduler = Scheduler.start(model, tokenizer, settings)) {
      long start = System.nanoTime();
      List<CompletableFuture<Generation>> answers = new ArrayList<>();
      for (int i = 0; i < batch; i++) {
        answers.add(scheduler.submit(ScheduledRequest.of(ids(1), generation)).completion());
      }
      answers.forEach(CompletableFuture::join);
      return (System.nanoTime() - start) / 1e9;
    }
  }

  private void step(List<Session> sessions) {
    List<Ingestion> ingestions =
        sessions.stream().map(session -> new Ingestion(session, ids(1), LogitRows.LAST)).toList();
    model.ingest(ingestions);
  }

  private int[] ids(int count) {
    return random.ints(count, 0, model.config().vocabSize()).toArray();
  }

  private static Map<Integer, Double> medians(Map<Integer, List<Double>> rates) {
    Map<Integer, Double> medians = new LinkedHashMap<>();
    rates.forEach((batch, measured) -> medians.put(batch, median(measured)));
    return medians;
  }

  private static LlamaBench.Rates medianRates(List<LlamaBench.Rates> rates) {
    return new LlamaBench.Rates(
        median(rates.stream().map(LlamaBench.Rates::prefill).toList()),
        median(rates.stream().map(LlamaBench.Rates::decode).toList()));
  }

  private static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }
}
