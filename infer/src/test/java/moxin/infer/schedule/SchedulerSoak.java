package moxin.infer.schedule;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import moxin.infer.CpuModel;
import moxin.infer.EngineOptions;
import moxin.infer.GenerationEvent;
import moxin.infer.Generator;
import moxin.text.Tokenizer;
import moxin.text.Tokenizers;

/// Serves random requests for as long as wanted and prints, every ten seconds, what the process
/// takes and what was done; one text in twenty is written again alone and compared.
///
/// Arguments: the model's directory, its tokenizer's file, minutes. Ends with exit code 1 if a text
/// differs, a request fails, or the resident memory of the last quarter is more than a tenth above
/// that of the second quarter.
final class SchedulerSoak {
  private final CpuModel model;
  private final Tokenizer tokenizer;
  private final Random random = new Random(1);
  private final AtomicLong events = new AtomicLong();
  private final List<Long> resident = new ArrayList<>();
  private long compared;

  private SchedulerSoak(CpuModel model, Tokenizer tokenizer) {
    this.model = model;
    this.tokenizer = tokenizer;
  }

  /// Runs the soak.
  public static void main(String[] arguments) throws Exception {
    Duration duration = Duration.ofSeconds(Math.round(60 * Double.parseDouble(arguments[2])));
    Tokenizer tokenizer = Tokenizers.load(Path.of(arguments[1]));
    boolean good;
    try (CpuModel model = CpuModel.load(Path.of(arguments[0]), EngineOptions.defaults())) {
      good = new SchedulerSoak(model, tokenizer).run(duration);
    }
    System.exit(good ? 0 : 1);
  }

  private record Sent(ScheduledRequest request, ScheduledGeneration scheduled, boolean compare) {}

  private boolean run(Duration duration) throws Exception {
    int context = Math.min(2000, model.config().maxPositionEmbeddings());
    RandomTraffic traffic =
        new RandomTraffic(random, model.config().vocabSize(), context / 2, context / 3);
    CacheSize size = CacheSize.of(model.config(), model.kvType());
    SchedulerOptions options =
        SchedulerOptions.defaults(CacheSize.of(model.config(), model.kvType()))
            .withMaxSessions(8)
            .withMaxQueued(40)
            .withCache(size, 8 * size.bytes(context), 4 * size.bytes(context))
            .withSpeculation(Speculation.promptLookup());
    List<Sent> open = new ArrayList<>();
    boolean good = true;
    try (Scheduler scheduler = Scheduler.start(model, tokenizer, options)) {
      long start = System.nanoTime();
      long nextLine = start;
      for (long now = start; now - start < duration.toNanos(); now = System.nanoTime()) {
        good &= settle(open);
        submit(scheduler, traffic, open);
        if (random.nextInt(10) == 0 && !open.isEmpty()) {
          open.get(random.nextInt(open.size())).scheduled().cancel();
        }
        if (now >= nextLine) {
          print(Duration.ofNanos(now - start), scheduler.metrics());
          nextLine = now + Duration.ofSeconds(10).toNanos();
        }
        Thread.sleep(random.nextInt(60));
      }
      good &= scheduler.drain(Duration.ofMinutes(5)) && settle(open) && open.isEmpty();
      print(duration, scheduler.metrics());
      good &= scheduler.metrics().failed() == 0;
    }
    return good && flat();
  }

  private void submit(Scheduler scheduler, RandomTraffic traffic, List<Sent> open) {
    ScheduledRequest request = traffic.next();
    if (random.nextInt(20) == 0) {
      request = request.withTimeout(Duration.ofMillis(random.nextInt(3000)));
    }
    int kind = random.nextInt(40);
    try {
      ScheduledGeneration scheduled =
          scheduler.submit(request, event -> consume(event, kind == 0 ? 200 : 0));
      open.add(new Sent(request, scheduled, random.nextInt(20) == 0));
    } catch (RequestRejectedException full) {
      // Counted by the scheduler; a client would come again.
      return;
    }
  }

  private void consume(GenerationEvent event, int slowMillis) {
    events.incrementAndGet();
    if (slowMillis > 0 && event instanceof GenerationEvent.TextDelta) {
      try {
        Thread.sleep(slowMillis);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /// Compares and forgets what has ended; false if a text is not what it is alone.
  private boolean settle(List<Sent> open) {
    boolean good = true;
    for (Sent sent : List.copyOf(open)) {
      if (sent.scheduled().completion().isDone()) {
        open.remove(sent);
        if (sent.compare() && sent.scheduled().cancelCause().isEmpty()) {
          int[] alone =
              new Generator(model, tokenizer)
                  .generate(
                      sent.request().promptIds(), sent.request().options(), _ -> {}, () -> false)
                  .ids();
          good &= Arrays.equals(alone, sent.scheduled().completion().join().ids());
          compared++;
        }
      }
    }
    return good;
  }

  private void print(Duration elapsed, SchedulerMetrics now) throws IOException {
    Runtime runtime = Runtime.getRuntime();
    long heap = (runtime.totalMemory() - runtime.freeMemory()) >> 20;
    resident.add(residentKib());
    System.err.printf(
        Locale.ROOT,
        "%5d s  RSS %d MiB  heap %d MiB  done %d  cancelled %d  failed %d  rejected %d  queued %d"
            + "  tokens/s %.0f  reused %d  kept %d (%d KiB)  proposed %d accepted %d"
            + "  compared %d  between passes %.0f us%n",
        elapsed.toSeconds(),
        resident.getLast() >> 10,
        heap,
        now.finished(),
        now.cancelled(),
        now.failed(),
        now.rejected(),
        now.queued(),
        now.newTokensPerSecond(),
        now.reusedTokens(),
        now.keptSessions(),
        now.keptBytes() >> 10,
        now.proposedTokens(),
        now.acceptedTokens(),
        compared,
        now.steps() == 0 ? 0 : now.otherTime().toNanos() / 1e3 / now.steps());
  }

  private static long residentKib() throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.isReadable(status)) {
      return 0;
    }
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
        .findFirst()
        .orElse(0);
  }

  private boolean flat() {
    int quarter = resident.size() / 4;
    if (quarter == 0) {
      return true;
    }
    double second =
        resident.subList(quarter, 2 * quarter).stream().mapToLong(kib -> kib).average().orElse(0);
    double last =
        resident.subList(resident.size() - quarter, resident.size()).stream()
            .mapToLong(kib -> kib)
            .average()
            .orElse(0);
    return last <= 1.1 * second;
  }
}
