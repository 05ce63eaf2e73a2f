package moxin.infer.schedule;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import moxin.infer.GenerationEvent;
import moxin.infer.GenerationOptions;
import moxin.job.Join;
import moxin.model.LanguageModel;
import moxin.text.Tokenizer;
import org.jspecify.annotations.Nullable;

/// Serves many requests with one model: in every pass over the weights, each text that is being
/// written gets its next token, or several by speculation, and prompts are read in chunks beside
/// them. Requests join and leave between passes, and prompts that begin like an earlier text are
/// not computed again. Thread-safe.
///
/// The text of a request is what [moxin.infer.Generator] writes for it alone, whatever is served
/// beside it, but for [Speculation.Drafting#SAMPLED]. Requests begin in their order.
///
/// The model and a draft model are the caller's, and stay open until the scheduler is closed.
public final class Scheduler implements AutoCloseable {
  private final LanguageModel model;
  private final Texts texts;
  private final SchedulerOptions options;
  private final MetricsRecorder metrics;
  private final StepLoop loop;
  private final Handoff consumers = new Handoff();
  private final Thread thread;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();

  /// Requests that the steps have not taken over.
  private final Deque<Ticket> incoming = new ArrayDeque<>();

  private boolean accepting = true;
  private boolean closing;
  private boolean over;

  private Scheduler(LanguageModel model, Tokenizer tokenizer, SchedulerOptions options) {
    this.model = model;
    this.texts = Texts.of(model.config(), tokenizer);
    this.options = options;
    this.metrics = new MetricsRecorder(options.maxSessions());
    this.loop = new StepLoop(model, texts, options, metrics, System::nanoTime);
    this.thread = Thread.ofPlatform().name("moxin-scheduler").daemon().unstarted(this::run);
  }

  /// Starts a scheduler with a thread of its own.
  ///
  /// @throws IllegalArgumentException if a draft model has another vocabulary
  public static Scheduler start(
      LanguageModel model, Tokenizer tokenizer, SchedulerOptions options) {
    Scheduler scheduler = new Scheduler(model, tokenizer, options);
    scheduler.thread.start();
    return scheduler;
  }

  /// Takes a request whose result is all that matters.
  ///
  /// @throws RequestRejectedException if too many wait, or the scheduler takes no more
  /// @throws IllegalArgumentException if there is no prompt, it does not fit in the context, or it
  ///   and its longest answer do not fit in the cache
  public ScheduledGeneration submit(ScheduledRequest request) {
    return submit(request, _ -> {});
  }

  /// Takes a request.
  ///
  /// @param events is told each piece of text as soon as it is certain, then the end, one at a time
  ///   on virtual threads; a slow consumer is told several pieces as one and delays nobody else,
  ///   and one that throws cancels its request
  /// @throws RequestRejectedException if too many wait, or the scheduler takes no more
  /// @throws IllegalArgumentException if there is no prompt, it does not fit in the context, or it
  ///   and its longest answer do not fit in the cache
  public ScheduledGeneration submit(ScheduledRequest request, Consumer<GenerationEvent> events) {
    texts.requirePrompt(request.promptIds(), model.config().vocabSize());
    request.options().requireVocabulary(texts.tokenizer().vocabSize());
    long bytes = cacheBytes(request.promptIds().length, request.options());
    Ticket ticket = new Ticket(request, events, consumers, System.nanoTime(), bytes);
    lock.lock();
    try {
      if (!accepting) {
        throw new RequestRejectedException(
            RequestRejectedException.Reason.CLOSED, "the scheduler takes no more requests");
      }
      if (incoming.size() + loop.queued() >= options.maxQueued()) {
        metrics.rejected();
        throw new RequestRejectedException(
            RequestRejectedException.Reason.FULL,
            options.maxQueued() + " requests wait already, and no more may");
      }
      incoming.add(ticket);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    return ticket;
  }

  private long cacheBytes(int promptLength, GenerationOptions generation) {
    long longest = Math.min(texts.contextLimit(), (long) promptLength + generation.maxNewTokens());
    long bytes = options.cacheSize().bytes((int) Math.min(Integer.MAX_VALUE, longest));
    if (bytes > options.cacheBytes()) {
      throw new IllegalArgumentException(
          longest
              + " tokens of prompt and answer take "
              + bytes
              + " bytes of cache, of which there are "
              + options.cacheBytes());
    }
    return bytes;
  }

  /// What the scheduler does now and has done.
  public SchedulerMetrics metrics() {
    int queued;
    lock.lock();
    try {
      queued = incoming.size() + loop.queued();
    } finally {
      lock.unlock();
    }
    return metrics.snapshot(queued);
  }

  /// Takes no more requests and waits until those taken have ended.
  ///
  /// @return whether they have ended within `timeout`
  public boolean drain(Duration timeout) throws InterruptedException {
    long left = timeout.toNanos();
    lock.lock();
    try {
      accepting = false;
      changed.signalAll();
      while (!over && left > 0) {
        left = changed.awaitNanos(left);
      }
      return over;
    } finally {
      lock.unlock();
    }
  }

  /// Cancels all requests, and returns when the model is no longer in use. Consumers are told the
  /// end on their own threads.
  @Override
  public void close() {
    lock.lock();
    try {
      accepting = false;
      closing = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    Join.uninterruptibly(thread);
  }

  private void run() {
    Throwable failure = null;
    try {
      while (take()) {
        loop.step();
        consumers.flush();
      }
    } catch (Throwable thrown) {
      failure = thrown;
      throw thrown;
    } finally {
      finish(failure);
    }
  }

  /// Takes over new requests, waiting for one if there is nothing else to do; false when it is time
  /// to end.
  private boolean take() {
    lock.lock();
    try {
      while (!closing && incoming.isEmpty() && !loop.busy()) {
        if (!accepting) {
          return false;
        }
        changed.awaitUninterruptibly();
      }
      takeIncoming();
      return !closing;
    } finally {
      lock.unlock();
    }
  }

  private void takeIncoming() {
    incoming.forEach(loop::add);
    incoming.clear();
  }

  private void finish(@Nullable Throwable failure) {
    lock.lock();
    try {
      accepting = false;
      takeIncoming();
      if (failure != null) {
        loop.failAll(failure);
      }
      loop.close();
      consumers.flush();
      over = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
