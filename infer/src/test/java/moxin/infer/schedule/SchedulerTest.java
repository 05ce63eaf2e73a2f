package moxin.infer.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import moxin.infer.FinishReason;
import moxin.infer.Generation;
import moxin.infer.GenerationEvent;
import moxin.infer.GenerationOptions;
import moxin.infer.Generator;
import moxin.infer.KvType;
import moxin.infer.SamplingOptions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The scheduler with its threads. Passes are held up with a semaphore where order matters.
@Timeout(60)
final class SchedulerTest {
  private static final LetterTokenizer LETTERS = new LetterTokenizer();

  private final HashModel model = new HashModel(3, 0.01f, OptionalInt.empty(), 0, n -> n);
  private final Semaphore passes = new Semaphore(0);
  private final Scheduler scheduler =
      Scheduler.start(
          model,
          LETTERS,
          SchedulerOptions.defaults(CacheSize.of(model.config(), KvType.F32))
              .withMaxSessions(4)
              .withMaxQueued(3)
              .withCache(tokens -> 10L * tokens, 10_000, 1000));

  {
    model.before = _ -> passes.acquireUninterruptibly();
  }

  @AfterEach
  void close() {
    passes.release(1_000_000);
    scheduler.close();
    assertThat(model.open).hasValue(0);
  }

  private static ScheduledRequest request(int seed, int newTokens) {
    int[] prompt = {1, 3 + seed % 26, 4, 5};
    return ScheduledRequest.of(
        prompt, new GenerationOptions(SamplingOptions.of(1, seed), newTokens, List.of()));
  }

  @Test
  void textsAreThoseOfTheGenerator() {
    passes.release(1_000_000);
    List<ScheduledRequest> requests = List.of(request(1, 30), request(2, 40));
    List<ScheduledGeneration> all = requests.stream().map(scheduler::submit).toList();
    Generator generator = new Generator(model, LETTERS);
    for (int i = 0; i < all.size(); i++) {
      Generation generation = all.get(i).completion().join();
      ScheduledRequest request = requests.get(i);
      Generation alone =
          generator.generate(request.promptIds(), request.options(), _ -> {}, () -> false);
      assertThat(generation.ids()).isEqualTo(alone.ids());
      assertThat(generation.text()).isEqualTo(alone.text());
    }
  }

  @Test
  void moreThanMayWaitAreRejected() throws InterruptedException {
    List<ScheduledGeneration> taken = new ArrayList<>();
    taken.add(scheduler.submit(request(0, 5)));
    awaitPass();
    for (int i = 1; i <= 3; i++) {
      taken.add(scheduler.submit(request(i, 5)));
    }
    assertThat(scheduler.metrics().queued()).isEqualTo(3);
    assertThatThrownBy(() -> scheduler.submit(request(9, 5)))
        .isInstanceOfSatisfying(
            RequestRejectedException.class,
            rejected ->
                assertThat(rejected.reason()).isEqualTo(RequestRejectedException.Reason.FULL))
        .hasMessage("3 requests wait already, and no more may");
    assertThat(scheduler.metrics().rejected()).isEqualTo(1);
    passes.release(1_000_000);
    taken.forEach(scheduled -> assertThat(scheduled.completion().join().ids()).hasSize(5));
  }

  private void awaitPass() throws InterruptedException {
    while (!passes.hasQueuedThreads()) {
      Thread.sleep(1);
    }
  }

  @Test
  void whatCannotBeServedIsRefused() {
    GenerationOptions options = GenerationOptions.greedy(5);
    for (ScheduledRequest request :
        List.of(
            ScheduledRequest.of(new int[0], options),
            ScheduledRequest.of(new int[] {29}, options),
            ScheduledRequest.of(new int[] {-1}, options),
            ScheduledRequest.of(new int[200_000], options),
            ScheduledRequest.of(new int[] {3}, GenerationOptions.greedy(1000)))) {
      assertThatThrownBy(() -> scheduler.submit(request))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void aConsumerThatStandsStillDelaysNobodyElse() {
    passes.release(1_000_000);
    CountDownLatch stuck = new CountDownLatch(1);
    List<GenerationEvent> events = new ArrayList<>();
    ScheduledGeneration slow =
        scheduler.submit(
            request(1, 50),
            event -> {
              events.add(event);
              try {
                stuck.await();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    ScheduledGeneration other = scheduler.submit(request(2, 100));
    assertThat(other.completion().join().ids()).hasSize(100);
    assertThat(slow.completion()).isNotDone();
    stuck.countDown();
    Generation generation = slow.completion().join();
    StringBuilder text = new StringBuilder();
    for (GenerationEvent event : events) {
      if (event instanceof GenerationEvent.TextDelta delta) {
        text.append(delta.text());
      }
    }
    assertThat(text).hasToString(generation.text());
    assertThat(events).hasSizeLessThan(10);
    assertThat(events.getLast()).isInstanceOf(GenerationEvent.Finished.class);
  }

  @Test
  void aConsumerThatThrowsEndsItsRequestAndNoOther() {
    passes.release(1_000_000);
    AtomicInteger told = new AtomicInteger();
    ScheduledGeneration broken =
        scheduler.submit(
            request(1, 900),
            _ -> {
              told.incrementAndGet();
              throw new IllegalStateException("no more");
            });
    ScheduledGeneration other = scheduler.submit(request(2, 100));
    assertThatThrownBy(() -> broken.completion().join())
        .isInstanceOf(CompletionException.class)
        .hasRootCauseMessage("no more");
    assertThat(broken.cancelCause()).contains(CancelCause.CONSUMER);
    assertThat(told).hasValue(1);
    assertThat(other.completion().join().ids()).hasSize(100);
  }

  @Test
  void cancellingEndsARequestWithWhatWasWritten() throws InterruptedException {
    ScheduledGeneration scheduled = scheduler.submit(request(1, 900));
    passes.release(5);
    while (passes.availablePermits() > 0) {
      Thread.sleep(1);
    }
    awaitPass();
    scheduled.cancel();
    passes.release(1_000_000);
    Generation generation = scheduled.completion().join();
    assertThat(generation.reason()).isEqualTo(FinishReason.CANCELLED);
    assertThat(generation.ids()).hasSize(6);
  }

  @Test
  void cancellingTheFutureDoesNothing() {
    passes.release(1_000_000);
    ScheduledGeneration scheduled = scheduler.submit(request(1, 20));
    scheduled.completion().cancel(true);
    assertThat(scheduled.completion().join().ids()).hasSize(20);
  }

  @Test
  void drainingLetsAllEndAndTakesNoMore() throws Exception {
    ScheduledGeneration scheduled = scheduler.submit(request(1, 50));
    assertThat(scheduler.drain(Duration.ofMillis(20))).isFalse();
    assertThatThrownBy(() -> scheduler.submit(request(2, 5)))
        .isInstanceOfSatisfying(
            RequestRejectedException.class,
            rejected ->
                assertThat(rejected.reason()).isEqualTo(RequestRejectedException.Reason.CLOSED));
    passes.release(1_000_000);
    assertThat(scheduler.drain(Duration.ofSeconds(30))).isTrue();
    assertThat(scheduled.completion().get(10, TimeUnit.SECONDS).ids()).hasSize(50);
  }

  @Test
  void closingCancelsAll() throws Exception {
    List<ScheduledGeneration> all = new ArrayList<>();
    all.add(scheduler.submit(request(0, 900)));
    awaitPass();
    all.add(scheduler.submit(request(1, 900)));
    all.add(scheduler.submit(request(2, 900)));
    CompletableFuture<Void> closed = CompletableFuture.runAsync(scheduler::close);
    while (takes()) {
      Thread.sleep(1);
    }
    passes.release(1);
    closed.get(30, TimeUnit.SECONDS);
    for (ScheduledGeneration scheduled : all) {
      assertThat(scheduled.completion().join().reason()).isEqualTo(FinishReason.CANCELLED);
      assertThat(scheduled.cancelCause()).contains(CancelCause.SHUTDOWN);
    }
  }

  private boolean takes() {
    try {
      scheduler.submit(request(3, 900)).cancel();
      return true;
    } catch (RequestRejectedException rejected) {
      return rejected.reason() != RequestRejectedException.Reason.CLOSED;
    }
  }

  @Test
  void anErrorOfTheEngineFailsAllAndEndsTheScheduler() throws InterruptedException {
    ScheduledGeneration running = scheduler.submit(request(0, 900));
    awaitPass();
    ScheduledGeneration waiting = scheduler.submit(request(1, 900));
    model.before =
        _ -> {
          throw new AssertionError("the engine is broken");
        };
    passes.release(1_000_000);
    for (ScheduledGeneration scheduled : List.of(running, waiting)) {
      assertThatThrownBy(() -> scheduled.completion().join())
          .hasRootCauseMessage("the engine is broken");
    }
    assertThat(scheduler.drain(Duration.ofSeconds(10))).isTrue();
    assertThatThrownBy(() -> scheduler.submit(request(2, 5)))
        .isInstanceOf(RequestRejectedException.class);
  }

  @Test
  void requestsMayComeFromManyThreads() throws InterruptedException {
    passes.release(10_000_000);
    ConcurrentLinkedQueue<Generation> done = new ConcurrentLinkedQueue<>();
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 8; t++) {
      int from = 100 * t;
      threads.add(
          Thread.ofVirtual()
              .start(
                  () -> {
                    for (int i = 0; i < 25; ) {
                      try {
                        done.add(scheduler.submit(request(from + i, 12)).completion().join());
                        i++;
                      } catch (RequestRejectedException full) {
                        LockSupport.parkNanos(100_000);
                      }
                    }
                  }));
    }
    for (Thread one : threads) {
      one.join();
    }
    assertThat(done).hasSize(200).allSatisfy(one -> assertThat(one.ids()).isNotEmpty());
    SchedulerMetrics metrics = scheduler.metrics();
    assertThat(metrics.finished()).isEqualTo(200);
    assertThat(metrics.firstToken().count()).isEqualTo(200);
    assertThat(metrics.newTokensPerSecond()).isPositive();
  }
}
