package moxin.infer.schedule;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import moxin.infer.FinishReason;
import moxin.infer.Generation;
import moxin.infer.GenerationEvent;
import org.jspecify.annotations.Nullable;

/// A request from submission to completion. What is not of [ScheduledGeneration] belongs to the
/// thread that makes the steps.
final class Ticket implements ScheduledGeneration {
  private final ScheduledRequest request;
  private final long submitted;
  private final long cacheBytes;
  private final EventDelivery events;
  private final CompletableFuture<Generation> future = new CompletableFuture<>();
  private final AtomicReference<@Nullable CancelCause> cancelled = new AtomicReference<>();
  private @Nullable Sequence sequence;
  private boolean begun;
  private long began;
  private boolean written;
  private long firstToken;
  private volatile int reused;

  /// Where in the prompt a session is to be kept for others, 0 for nowhere.
  private int keepAt;

  /// @param submitted when, by the clock of the steps
  /// @param cacheBytes what its session may take at most
  Ticket(
      ScheduledRequest request,
      Consumer<GenerationEvent> consumer,
      Executor executor,
      long submitted,
      long cacheBytes) {
    this.request = request;
    this.submitted = submitted;
    this.cacheBytes = cacheBytes;
    this.events = new EventDelivery(consumer, executor, () -> cancel(CancelCause.CONSUMER));
  }

  @Override
  public CompletableFuture<Generation> completion() {
    return future.copy();
  }

  @Override
  public void cancel() {
    cancel(CancelCause.CALLER);
  }

  void cancel(CancelCause cause) {
    cancelled.compareAndSet(null, cause);
  }

  @Override
  public Optional<CancelCause> cancelCause() {
    return Optional.ofNullable(cancelled.get());
  }

  @Override
  public int reusedTokens() {
    return reused;
  }

  ScheduledRequest request() {
    return request;
  }

  long submitted() {
    return submitted;
  }

  long cacheBytes() {
    return cacheBytes;
  }

  /// Whether it has been cancelled, which it also is when its time is up.
  boolean isCancelled(long now) {
    request
        .timeout()
        .filter(timeout -> now - submitted >= saturated(timeout))
        .ifPresent(_ -> cancel(CancelCause.TIMEOUT));
    return cancelled.get() != null;
  }

  private static long saturated(Duration timeout) {
    return timeout.compareTo(Duration.ofDays(365)) > 0 ? Long.MAX_VALUE : timeout.toNanos();
  }

  void admit(Sequence admitted) {
    sequence = admitted;
  }

  Sequence sequence() {
    Sequence present = sequence;
    if (present == null) {
      throw new IllegalStateException("the request still waits");
    }
    return present;
  }

  void begin(long now, int reusedTokens, int keepSessionAt) {
    begun = true;
    began = now;
    reused = reusedTokens;
    keepAt = keepSessionAt;
  }

  int keepAt() {
    return keepAt;
  }

  void kept() {
    keepAt = 0;
  }

  /// Whether the first token has been chosen.
  boolean decoding() {
    return written;
  }

  void firstToken(long now) {
    written = true;
    firstToken = now;
  }

  /// Tells the consumer.
  void tell(GenerationEvent event) {
    events.add(event);
  }

  /// Completes the request with what has been written.
  void complete(FinishReason reason, long now) {
    Sequence text = sequence;
    GenerationEvent.Timings timings =
        new GenerationEvent.Timings(
            text == null ? 0 : Math.max(0, text.promptIngested() - reused),
            Duration.ofNanos(begun ? (written ? firstToken : now) - began : 0),
            text == null ? 0 : text.added(),
            Duration.ofNanos(written ? now - firstToken : 0));
    Generation generation = text == null ? unread(reason, timings) : text.finish(timings);
    events.end(
        thrown -> {
          if (thrown == null) {
            future.complete(generation);
          } else {
            future.completeExceptionally(thrown);
          }
        });
  }

  /// What there is of a text that was never begun.
  private Generation unread(FinishReason reason, GenerationEvent.Timings timings) {
    tell(new GenerationEvent.Finished(reason, timings));
    return new Generation(request.promptIds().clone(), new int[0], "", reason, timings);
  }

  /// Closes what the text holds.
  void close() {
    if (sequence != null) {
      sequence.close();
    }
  }

  /// Completes the request with an exception.
  void fail(Throwable failure) {
    events.end(_ -> future.completeExceptionally(failure));
  }
}
