package moxin.infer.schedule;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import moxin.infer.FinishReason;
import moxin.model.LanguageModel;
import moxin.model.LanguageModel.Session;
import moxin.model.Logits;
import org.jspecify.annotations.Nullable;

/// Continuous batching without threads: each call of [#step] lets requests leave and join, makes
/// one pass over the weights for all of them, and hands out what was written. For one thread.
final class StepLoop implements AutoCloseable {
  private final LanguageModel model;
  private final Texts texts;
  private final SchedulerOptions options;
  private final LongSupplier clock;
  private final MetricsRecorder metrics;
  private final Speculator speculator;
  private final PrefillPlan prefillPlan;
  private final @Nullable PrefixCache prefixes;
  private final Deque<Ticket> queue = new ArrayDeque<>();
  private final List<Ticket> active = new ArrayList<>();
  private volatile int queued;
  private long reservedBytes;

  /// @param clock in nanoseconds
  StepLoop(
      LanguageModel model,
      Texts texts,
      SchedulerOptions options,
      MetricsRecorder metrics,
      LongSupplier clock) {
    this.model = model;
    this.texts = texts;
    this.options = options;
    this.metrics = metrics;
    this.clock = clock;
    this.speculator = new Speculator(options.speculation(), model, clock);
    this.prefillPlan = new PrefillPlan(options, speculator.cost());
    this.prefixes =
        options.prefixCacheBytes() == 0
            ? null
            : new PrefixCache(options.prefixCacheBytes(), options.cacheSize());
  }

  void add(Ticket ticket) {
    queue.add(ticket);
    queued = queue.size();
  }

  /// Whether any request waits or is worked on.
  boolean busy() {
    return !queue.isEmpty() || !active.isEmpty();
  }

  /// How many requests wait. For any thread.
  int queued() {
    return queued;
  }

  /// A request's part in a pass.
  ///
  /// @param promptTokens how many tokens of the prompt; 0 where the text is being written
  record Slot(Ticket ticket, int promptTokens) {
    LanguageModel.Ingestion ingestion() {
      Sequence sequence = ticket.sequence();
      return promptTokens == 0 ? sequence.next() : sequence.chunk(promptTokens);
    }
  }

  /// Makes one pass, if there is anything to do.
  void step() {
    long start = clock.getAsLong();
    removeCancelled(start);
    admit();
    List<Slot> slots = plan();
    if (slots.isEmpty()) {
      metrics.state(state());
      return;
    }
    List<Logits> logits;
    long modelNanos;
    try {
      List<LanguageModel.Ingestion> ingestions = slots.stream().map(Slot::ingestion).toList();
      long before = clock.getAsLong();
      logits = model.ingest(ingestions);
      modelNanos = clock.getAsLong() - before;
      int tokens = ingestions.stream().mapToInt(one -> one.tokens().length).sum();
      speculator.cost().record(tokens, modelNanos);
    } catch (RuntimeException failure) {
      // How far the sessions came is unknown, so their requests cannot go on; others can.
      slots.forEach(slot -> fail(slot.ticket(), failure));
      return;
    }
    int added = 0;
    for (int i = 0; i < slots.size(); i++) {
      added += accept(slots.get(i).ticket(), logits.get(i));
    }
    int prompt = slots.stream().mapToInt(Slot::promptTokens).sum();
    int writing = (int) slots.stream().filter(slot -> slot.promptTokens() == 0).count();
    long other = clock.getAsLong() - start - modelNanos;
    metrics.step(new MetricsRecorder.Step(writing, prompt, added, modelNanos, other, state()));
  }

  private void removeCancelled(long now) {
    for (Iterator<Ticket> waiting = queue.iterator(); waiting.hasNext(); ) {
      Ticket ticket = waiting.next();
      if (ticket.isCancelled(now)) {
        waiting.remove();
        queued = queue.size();
        ticket.complete(FinishReason.CANCELLED, now);
        metrics.ended(MetricsRecorder.End.CANCELLED, 0, 0);
      }
    }
    for (Ticket ticket : List.copyOf(active)) {
      if (ticket.isCancelled(now)) {
        ticket.sequence().end(FinishReason.CANCELLED);
        end(ticket);
      }
    }
  }

  /// Takes in waiting requests in their order while there is room for the longest answer of each.
  private void admit() {
    while (!queue.isEmpty() && active.size() < options.maxSessions()) {
      Ticket ticket = queue.getFirst();
      if (reservedBytes + ticket.cacheBytes() > options.cacheBytes()) {
        return;
      }
      queue.removeFirst();
      queued = queue.size();
      reservedBytes += ticket.cacheBytes();
      active.add(ticket);
      try {
        ScheduledRequest request = ticket.request();
        ticket.admit(
            new Sequence(texts, request.promptIds(), request.options(), speculator, ticket::tell));
      } catch (RuntimeException failure) {
        fail(ticket, failure);
      }
    }
  }

  private List<Slot> plan() {
    List<Slot> slots = new ArrayList<>();
    List<Sequence> writing = new ArrayList<>();
    List<Ticket> reading = new ArrayList<>();
    for (Ticket ticket : List.copyOf(active)) {
      if (ticket.decoding()) {
        slots.add(new Slot(ticket, 0));
        writing.add(ticket.sequence());
      } else if (ticket.sequence().started() || begin(ticket)) {
        reading.add(ticket);
      }
    }
    List<Slot> prompts = prefillPlan.share(reading, writing.size());
    slots.addAll(prompts);
    int base = writing.size() + prompts.stream().mapToInt(Slot::promptTokens).sum();
    try {
      speculator.follow(active.stream().map(Ticket::sequence).toList());
      speculator.propose(writing, base, options.tokensPerStep() - base);
    } catch (RuntimeException failure) {
      // The draft model failed: without its proposals the texts would still be right, but a model
      // that fails once is no longer to be trusted with their time.
      List.copyOf(active).forEach(ticket -> fail(ticket, failure));
      return List.of();
    }
    return slots;
  }

  /// Gives a request its session; false while another is about to leave one that is worth it.
  private boolean begin(Ticket ticket) {
    int[] prompt = ticket.request().promptIds();
    Sequence sequence = ticket.sequence();
    try {
      if (prefixes == null || ticket.request().options().promptLogProbabilities().isPresent()) {
        sequence.start(model.newSession());
        ticket.begin(clock.getAsLong(), 0, 0);
        return true;
      }
      PrefixCache.Match match = prefixes.find(prompt);
      if (match.awaited()) {
        return false;
      }
      Optional<Session> fork = match.fork();
      sequence.start(fork.isPresent() ? fork.get() : model.newSession());
      metrics.reused(match.reusable());
      prefixes.remember(prompt);
      int keepAt = prefixes.worthKeeping(match) ? match.shared() : 0;
      if (keepAt > 0) {
        prefixes.await(prompt, keepAt);
      }
      ticket.begin(clock.getAsLong(), match.reusable(), keepAt);
      return true;
    } catch (RuntimeException failure) {
      fail(ticket, failure);
      return false;
    }
  }

  private int accept(Ticket ticket, Logits logits) {
    Sequence sequence = ticket.sequence();
    int added = 0;
    try {
      added = sequence.accept(logits);
      keepShared(ticket);
    } catch (RuntimeException failure) {
      fail(ticket, failure);
      return added;
    }
    if (!ticket.decoding() && sequence.promptLeft() == 0) {
      long now = clock.getAsLong();
      ticket.firstToken(now);
      metrics.firstToken(now - ticket.submitted());
    }
    if (sequence.reason().isPresent()) {
      end(ticket);
    }
    return added;
  }

  private void keepShared(Ticket ticket) {
    int at = ticket.keepAt();
    if (at > 0 && prefixes != null && ticket.sequence().session().position() >= at) {
      ticket.kept();
      prefixes.keep(ticket.request().promptIds(), at, ticket.sequence().session().fork(at));
    }
  }

  /// Lets a request that is over leave, and keeps its session for texts that begin like it.
  private void end(Ticket ticket) {
    Sequence sequence = ticket.sequence();
    FinishReason reason = sequence.reason().orElseThrow();
    ticket.complete(reason, clock.getAsLong());
    boolean cancelled = reason == FinishReason.CANCELLED;
    metrics.ended(
        cancelled ? MetricsRecorder.End.CANCELLED : MetricsRecorder.End.FINISHED,
        sequence.drafted(),
        sequence.accepted());
    forsake(ticket);
    if (prefixes != null && sequence.started()) {
      Session session = sequence.session();
      int read = Math.min(session.position(), sequence.tokens().size());
      if (session.canRewindTo(read)) {
        session.rewindTo(read);
        sequence.releaseSession();
        prefixes.keep(sequence.tokens().slice(0, read), read, session);
      }
    }
    leave(ticket);
  }

  private void fail(Ticket ticket, Throwable failure) {
    ticket.fail(failure);
    metrics.ended(MetricsRecorder.End.FAILED, 0, 0);
    forsake(ticket);
    leave(ticket);
  }

  private void forsake(Ticket ticket) {
    if (prefixes != null && ticket.keepAt() > 0) {
      prefixes.forsake(ticket.request().promptIds(), ticket.keepAt());
      ticket.kept();
    }
  }

  private void leave(Ticket ticket) {
    active.remove(ticket);
    reservedBytes -= ticket.cacheBytes();
    ticket.close();
  }

  private MetricsRecorder.State state() {
    int writing = (int) active.stream().filter(Ticket::decoding).count();
    return new MetricsRecorder.State(
        active.size() - writing,
        writing,
        prefixes == null ? 0 : prefixes.sessions(),
        prefixes == null ? 0 : prefixes.bytes());
  }

  /// Fails all requests.
  void failAll(Throwable failure) {
    for (Ticket ticket : queue) {
      ticket.fail(failure);
      metrics.ended(MetricsRecorder.End.FAILED, 0, 0);
    }
    queue.clear();
    queued = 0;
    List.copyOf(active).forEach(ticket -> fail(ticket, failure));
  }

  /// Cancels all requests and closes all sessions.
  @Override
  public void close() {
    queue.forEach(ticket -> ticket.cancel(CancelCause.SHUTDOWN));
    active.forEach(ticket -> ticket.cancel(CancelCause.SHUTDOWN));
    removeCancelled(clock.getAsLong());
    if (prefixes != null) {
      prefixes.close();
    }
    metrics.state(state());
  }
}
