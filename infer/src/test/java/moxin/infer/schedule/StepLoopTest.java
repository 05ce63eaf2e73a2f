package moxin.infer.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.CompletionException;
import moxin.infer.FinishReason;
import moxin.infer.Generation;
import moxin.infer.GenerationEvent;
import moxin.infer.GenerationOptions;
import moxin.infer.Generator;
import moxin.infer.KvType;
import moxin.infer.SamplingOptions;
import moxin.model.LanguageModel.Ingestion;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;

/// The scheduler's decisions, pass by pass, on a virtual clock.
@Seeded
final class StepLoopTest {
  private static final LetterTokenizer LETTERS = new LetterTokenizer();

  /// A loop over a model, and the requests that were given to it.
  private static final class Simulation {
    final HashModel model;
    final SchedulerOptions options;
    final MetricsRecorder metrics;
    final StepLoop loop;
    final StringBuilder told = new StringBuilder();

    Simulation(HashModel model, SchedulerOptions options) {
      this.model = model;
      this.options = options;
      this.metrics = new MetricsRecorder(options.maxSessions());
      Texts texts = Texts.of(model.config(), LETTERS);
      this.loop = new StepLoop(model, texts, options, metrics, model.clock::get);
    }

    Ticket submit(ScheduledRequest request) {
      long bytes =
          options.cacheSize().bytes(request.promptIds().length + request.options().maxNewTokens());
      Ticket ticket = new Ticket(request, this::told, Runnable::run, model.clock.get(), bytes);
      loop.add(ticket);
      return ticket;
    }

    private void told(GenerationEvent event) {
      if (event instanceof GenerationEvent.TextDelta delta) {
        told.append(delta.text());
      }
    }

    Ticket submit(int[] prompt, int newTokens) {
      return submit(ScheduledRequest.of(prompt, endless(newTokens)));
    }

    void run() {
      for (int step = 0; loop.busy(); step++) {
        assertThat(step).as("steps").isLessThan(100_000);
        loop.step();
        assertThat(model.lastTokens()).isLessThanOrEqualTo(options.tokensPerStep());
      }
    }

    List<Ingestion> lastPass() {
      return model.passes.getLast();
    }
  }

  private static GenerationOptions endless(int newTokens) {
    return new GenerationOptions(SamplingOptions.greedy(), newTokens, List.of());
  }

  /// Texts without an end, each token as likely.
  private static HashModel model() {
    return new HashModel(3, 0.01f, OptionalInt.empty(), 0, n -> 1000 + 100 * n);
  }

  private static SchedulerOptions options() {
    return SchedulerOptions.defaults(CacheSize.of(model().config(), KvType.F32))
        .withCache(tokens -> 10L * tokens, 1_000_000, 0)
        .withMaxSessions(8)
        .withTokensPerStep(64);
  }

  private static int[] prompt(int length, int seed) {
    return new Random(seed).ints(length, 3, 29).toArray();
  }

  @Test
  void aLongPromptStallsNobodyLongerThanOneChunk() {
    Simulation run = new Simulation(model(), options());
    Ticket writing = run.submit(prompt(5, 1), 400);
    run.loop.step();
    Ticket reading = run.submit(prompt(3000, 2), 10);
    int steps = 0;
    while (!reading.decoding()) {
      int before = writing.sequence().added();
      run.loop.step();
      assertThat(writing.sequence().added()).isEqualTo(before + 1);
      assertThat(run.model.lastTokens()).isLessThanOrEqualTo(64);
      steps++;
    }
    assertThat(steps).isEqualTo((3000 + 62) / 63);
    run.run();
  }

  @Test
  void chunksShrinkWhereAPassWouldTakeLongerThanWanted() {
    HashModel slow = new HashModel(3, 0.01f, OptionalInt.empty(), 0, n -> 10_000_000 * n);
    Simulation run = new Simulation(slow, options().withTokensPerStep(256));
    run.submit(prompt(500, 1), 200);
    while (slow.passes.isEmpty() || slow.lastTokens() > 1) {
      run.loop.step();
    }
    run.submit(prompt(1000, 2), 1);
    run.loop.step();
    run.loop.step();
    // A quarter of a second is 25 tokens here; a chunk has 32 all the same.
    assertThat(slow.lastTokens()).isEqualTo(33);
    run.run();
  }

  @Test
  void aShortPromptDoesNotWaitForALongOneWhichGetsHalfOfEveryPass() {
    Simulation run = new Simulation(model(), options());
    Ticket first = run.submit(prompt(2000, 1), 5);
    Ticket second = run.submit(prompt(1500, 2), 5);
    Ticket brief = run.submit(prompt(40, 3), 5);
    run.loop.step();
    assertThat(first.sequence().promptLeft()).isEqualTo(2000 - 32);
    while (!brief.decoding()) {
      int before = first.sequence().promptLeft();
      run.loop.step();
      assertThat(before - first.sequence().promptLeft()).isGreaterThanOrEqualTo(32);
    }
    assertThat(run.model.passes).hasSize(2);
    run.run();
    assertThat(second.completion()).isCompleted();
  }

  @Test
  void everyoneThatWritesIsInEveryPass() {
    Simulation run = new Simulation(model(), options());
    for (int i = 0; i < 8; i++) {
      run.submit(prompt(5, i), 50);
    }
    run.loop.step();
    for (int i = 0; i < 20; i++) {
      run.loop.step();
      assertThat(run.lastPass()).hasSize(8);
    }
    run.run();
    assertThat(run.metrics.snapshot(0).batchSizes()[8]).isEqualTo(49);
  }

  @Test
  void requestsBeginInTheirOrderAsTheCacheHasRoom() {
    SchedulerOptions options = options().withCache(tokens -> 10L * tokens, 5000, 0);
    Simulation run = new Simulation(model(), options);
    Ticket large = run.submit(prompt(300, 1), 100);
    Ticket next = run.submit(prompt(150, 2), 50);
    Ticket small = run.submit(prompt(20, 3), 5);
    run.loop.step();
    assertThat(run.loop.queued()).isEqualTo(2);
    while (!large.completion().isDone()) {
      assertThat(run.loop.queued()).isEqualTo(2);
      run.loop.step();
    }
    run.loop.step();
    assertThat(run.loop.queued()).isZero();
    run.run();
    assertThat(next.completion()).isCompleted();
    assertThat(small.completion()).isCompleted();
  }

  @Test
  void aRequestCanBeCancelledAtAnyMoment() {
    Simulation run = new Simulation(model(), options().withMaxSessions(2));
    Ticket writing = run.submit(prompt(5, 1), 100);
    Ticket reading = run.submit(prompt(500, 2), 100);
    Ticket waiting = run.submit(prompt(5, 3), 100);
    run.loop.step();
    run.loop.step();
    List<Ticket> all = List.of(writing, reading, waiting);
    all.forEach(Ticket::cancel);
    run.loop.step();
    for (Ticket ticket : all) {
      Generation generation = ticket.completion().join();
      assertThat(generation.reason()).isEqualTo(FinishReason.CANCELLED);
      assertThat(ticket.cancelCause()).contains(CancelCause.CALLER);
    }
    assertThat(writing.completion().join().ids()).hasSize(2);
    assertThat(reading.completion().join().timings().promptTokens()).isEqualTo(122);
    assertThat(run.loop.busy()).isFalse();
    assertThat(run.model.open).hasValue(0);
  }

  @Test
  void aRequestEndsWhenItsTimeIsUp() {
    Simulation run = new Simulation(model(), options());
    Duration limit = Duration.ofNanos(50_000);
    Ticket ticket = run.submit(ScheduledRequest.of(prompt(5, 1), endless(1000)).withTimeout(limit));
    Ticket other = run.submit(prompt(5, 2), 100);
    run.run();
    Generation generation = ticket.completion().join();
    assertThat(generation.reason()).isEqualTo(FinishReason.CANCELLED);
    assertThat(ticket.cancelCause()).contains(CancelCause.TIMEOUT);
    assertThat(generation.ids().length).isBetween(35, 50);
    assertThat(other.completion().join().ids()).hasSize(100);
  }

  @Test
  void aFailedPassEndsItsRequestsAndNoOthers() {
    Simulation run = new Simulation(model(), options().withMaxSessions(2));
    Ticket one = run.submit(prompt(5, 1), 100);
    Ticket two = run.submit(prompt(5, 2), 100);
    Ticket later = run.submit(prompt(5, 3), 10);
    run.loop.step();
    run.model.before =
        _ -> {
          throw new IllegalStateException("broken");
        };
    run.loop.step();
    run.model.before = _ -> {};
    run.run();
    for (Ticket failed : List.of(one, two)) {
      assertThatThrownBy(() -> failed.completion().join())
          .isInstanceOf(CompletionException.class)
          .hasRootCauseMessage("broken");
    }
    assertThat(later.completion().join().ids()).hasSize(10);
    assertThat(run.metrics.snapshot(0).failed()).isEqualTo(2);
    assertThat(run.model.open).hasValue(0);
  }

  @Test
  void aSharedPromptIsReadOnce() {
    SchedulerOptions options = options().withCache(tokens -> 10L * tokens, 1_000_000, 1_000_000);
    for (OptionalInt window : List.of(OptionalInt.empty(), OptionalInt.of(20))) {
      Simulation run = new Simulation(new HashModel(3, 3, window, 80, n -> n), options);
      int[] system = prompt(300, 9);
      Ticket first = run.submit(concatenated(system, prompt(7, 1)), 200);
      run.run();
      List<Ticket> others = new ArrayList<>();
      for (int i = 2; i < 7; i++) {
        others.add(run.submit(concatenated(system, prompt(7 + i, i)), 20));
      }
      run.run();
      assertThat(first.reusedTokens()).isZero();
      int least = window.isPresent() ? 4 : 5;
      assertThat(others.stream().filter(ticket -> ticket.reusedTokens() >= 300).count())
          .isGreaterThanOrEqualTo(least);
      run.loop.close();
      assertThat(run.model.open).hasValue(0);
    }
  }

  @Test
  void whenTheLeaderOfASharedPromptLeavesAnotherTakesItsPlace() {
    SchedulerOptions options = options().withCache(tokens -> 10L * tokens, 1_000_000, 1_000_000);
    Simulation run = new Simulation(model(), options);
    int[] system = prompt(600, 9);
    List<Ticket> tickets = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      tickets.add(run.submit(concatenated(system, prompt(9, i)), 5));
    }
    run.loop.step();
    // The first two read the prompt, since nobody knew that it would be shared; the others wait.
    assertThat(run.lastPass()).hasSize(2);
    tickets.get(1).cancel();
    run.loop.step();
    assertThat(run.lastPass()).hasSize(2);
    run.run();
    assertThat(tickets.get(3).reusedTokens()).isGreaterThanOrEqualTo(600);
    assertThat(tickets.get(3).completion()).isCompleted();
    run.loop.close();
    assertThat(run.model.open).hasValue(0);
  }

  @Test
  void aSharedPromptTooLargeToKeepHoldsNobodyUp() {
    SchedulerOptions options = options().withCache(tokens -> 10L * tokens, 1_000_000, 2500);
    Simulation run = new Simulation(model(), options);
    int[] system = prompt(600, 9);
    List<Ticket> tickets = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      tickets.add(run.submit(concatenated(system, prompt(9, i)), 5));
    }
    run.run();
    assertThat(tickets).allSatisfy(ticket -> assertThat(ticket.completion()).isCompleted());
    run.loop.close();
    assertThat(run.model.open).hasValue(0);
  }

  private static int[] concatenated(int[] head, int[] tail) {
    int[] all = Arrays.copyOf(head, head.length + tail.length);
    System.arraycopy(tail, 0, all, head.length, tail.length);
    return all;
  }

  @Test
  void everyTextIsWhatItIsAloneWhateverHappensBesideIt(Random random) {
    for (OptionalInt window : List.of(OptionalInt.empty(), OptionalInt.of(9))) {
      for (Speculation speculation : List.of(Speculation.none(), Speculation.promptLookup())) {
        for (long prefixBytes : new long[] {0, 6_000}) {
          HashModel model = new HashModel(3, 3, window, 30, n -> 1000 + 20 * n);
          SchedulerOptions options =
              options()
                  .withCache(tokens -> 10L * tokens, 20_000, prefixBytes)
                  .withSpeculation(speculation);
          chaos(new Simulation(model, options), random);
        }
      }
    }
  }

  private static void chaos(Simulation run, Random random) {
    List<Ticket> tickets = new ArrayList<>();
    List<Ticket> open = new ArrayList<>();
    int[] system = prompt(70, random.nextInt());
    for (int step = 0; step < 400; step++) {
      if (random.nextInt(3) == 0 && run.loop.queued() < 20) {
        int[] own = prompt(1 + random.nextInt(90), random.nextInt());
        int[] ids = random.nextInt(3) == 0 ? own : concatenated(system, own);
        Ticket ticket = run.submit(ScheduledRequest.of(ids, anyOptions(random)));
        tickets.add(ticket);
        open.add(ticket);
      }
      if (random.nextInt(12) == 0 && !open.isEmpty()) {
        open.remove(random.nextInt(open.size())).cancel();
      }
      run.loop.step();
    }
    run.run();
    Generator generator = new Generator(run.model, LETTERS);
    for (Ticket ticket : tickets) {
      Generation actual = ticket.completion().join();
      ScheduledRequest request = ticket.request();
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
    run.loop.close();
    assertThat(run.model.open).hasValue(0);
    SchedulerMetrics metrics = run.metrics.snapshot(0);
    assertThat(metrics.finished() + metrics.cancelled()).isEqualTo(tickets.size());
    assertThat(metrics.keptBytes()).isLessThanOrEqualTo(run.options.prefixCacheBytes());
  }

  private static GenerationOptions anyOptions(Random random) {
    SamplingOptions sampling =
        random.nextBoolean()
            ? SamplingOptions.greedy()
            : new SamplingOptions(0.6, 12, 0.95, 0, random.nextLong());
    List<String> stops = random.nextInt(4) == 0 ? List.of("ab", "xyz") : List.of();
    return new GenerationOptions(sampling, random.nextInt(80), stops);
  }

  @Test
  void drawnDraftsWorkInABatch(Random random) {
    HashModel model = new HashModel(2, 1, OptionalInt.of(9), 12, n -> 1000 + 20 * n);
    HashModel drafts = new HashModel(2, 0.9f, OptionalInt.of(7), 9, n -> n);
    Speculation drawn = new Speculation.Model(drafts, 6, Speculation.Drafting.SAMPLED);
    Simulation run = new Simulation(model, options().withSpeculation(drawn));
    for (int i = 0; i < 20; i++) {
      int[] prompt = prompt(1 + random.nextInt(300), i);
      run.submit(
          ScheduledRequest.of(
              prompt, new GenerationOptions(SamplingOptions.of(1, i), 60, List.of())));
    }
    run.run();
    SchedulerMetrics metrics = run.metrics.snapshot(0);
    assertThat(metrics.finished()).isEqualTo(20);
    assertThat(metrics.acceptedTokens()).isPositive();
    assertThat(metrics.newTokens()).isLessThanOrEqualTo(20 * 60);
    assertThat(List.of(model.open.get(), drafts.open.get())).containsOnly(0);
  }
}
