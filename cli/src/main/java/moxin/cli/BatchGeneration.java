package moxin.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import moxin.infer.FinishReason;
import moxin.infer.Generation;
import moxin.infer.GenerationOptions;
import moxin.infer.Generator;
import moxin.infer.schedule.ScheduledGeneration;
import moxin.infer.schedule.ScheduledRequest;
import moxin.infer.schedule.Scheduler;
import moxin.job.BadInputException;
import moxin.job.Progress;
import org.jspecify.annotations.Nullable;

/// Continues the prompts of a file of JSON lines, several in each pass over the weights. Answers
/// are kept as they come; nothing of the input is in memory but what is being worked on.
final class BatchGeneration {
  private static final long POLL_MILLIS = 50;

  private final Scheduler scheduler;
  private final Generator generator;
  private final GenerationOptions options;
  private final BatchJournal journal;
  private final int atOnce;
  private final Semaphore room;
  private final Set<ScheduledGeneration> running = ConcurrentHashMap.newKeySet();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

  /// @param atOnce how many prompts are handed to the scheduler before one must be answered
  BatchGeneration(
      Scheduler scheduler,
      Generator generator,
      GenerationOptions options,
      BatchJournal journal,
      int atOnce) {
    this.scheduler = scheduler;
    this.generator = generator;
    this.options = options;
    this.journal = journal;
    this.atOnce = atOnce;
    this.room = new Semaphore(atOnce);
  }

  /// The number of prompts in `input`: its lines that are not blank.
  ///
  /// @throws BadInputException if it is not UTF-8
  static int count(Path input) throws IOException {
    int count = 0;
    try (BufferedReader lines = Files.newBufferedReader(input)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        count += line.isBlank() ? 0 : 1;
      }
    } catch (CharacterCodingException e) {
      throw new BadInputException(input + ": not UTF-8", e);
    }
    return count;
  }

  /// Answers the prompts of `input` that have no answer yet, in any order.
  ///
  /// @param stopped whether to end early; what is not finished then is not kept
  /// @return whether all have their answer
  boolean run(Path input, Progress.Task task, BooleanSupplier stopped) throws IOException {
    BooleanSupplier over = () -> stopped.getAsBoolean() || failure.get() != null;
    boolean whole = true;
    try (BufferedReader lines = Files.newBufferedReader(input)) {
      long number = 0;
      int prompt = 0;
      String text = lines.readLine();
      for (; text != null && !over.getAsBoolean(); text = lines.readLine()) {
        number++;
        if (!text.isBlank()) {
          if (journal.has(prompt)) {
            task.advanceBefore(1);
          } else if (acquire(over)) {
            begin(prompt, BatchPrompt.read(number, text), task);
          } else {
            whole = false;
          }
          prompt++;
        }
      }
      whole &= text == null;
    }
    if (!idle(over)) {
      whole = false;
      running.forEach(ScheduledGeneration::cancel);
    }
    room.acquireUninterruptibly(atOnce);
    rethrow();
    return whole;
  }

  /// Waits for room for one more prompt; false if it is over before.
  private boolean acquire(BooleanSupplier over) {
    while (!over.getAsBoolean()) {
      try {
        if (room.tryAcquire(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
          return true;
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        failure.compareAndSet(null, new InterruptedIOException("interrupted"));
      }
    }
    return false;
  }

  /// Waits until all prompts have their answers; false if it is over before.
  private boolean idle(BooleanSupplier over) {
    while (room.availablePermits() < atOnce && !over.getAsBoolean()) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(POLL_MILLIS));
    }
    return room.availablePermits() == atOnce;
  }

  /// Hands a prompt to the scheduler; its permit comes back with the answer.
  private void begin(int index, BatchPrompt prompt, Progress.Task task) {
    ScheduledGeneration generation;
    try {
      generation =
          scheduler.submit(
              ScheduledRequest.of(generator.promptIds(prompt.prompt()), prompt.options(options)));
    } catch (BadInputException | IllegalArgumentException e) {
      keep(index, prompt.error(String.valueOf(e.getMessage())), task);
      room.release();
      return;
    }
    running.add(generation);
    generation
        .completion()
        .whenComplete(
            (done, thrown) -> {
              try {
                running.remove(generation);
                if (done != null && done.reason() != FinishReason.CANCELLED) {
                  keep(index, toJson(prompt, done), task);
                } else if (thrown != null) {
                  fail(index, prompt, thrown, task);
                }
              } finally {
                room.release();
              }
            });
  }

  /// What goes wrong with one prompt is its answer; where memory runs out or the like, all end.
  private void fail(int index, BatchPrompt prompt, Throwable thrown, Progress.Task task) {
    Throwable cause = thrown;
    if (thrown instanceof CompletionException && thrown.getCause() != null) {
      cause = thrown.getCause();
    }
    if (cause instanceof RuntimeException own && !(own.getCause() instanceof Error)) {
      keep(index, prompt.error(Failures.describe(own)), task);
    } else {
      failure.compareAndSet(null, cause);
    }
  }

  private void keep(int index, ObjectNode answer, Progress.Task task) {
    try {
      journal.put(index, answer);
      task.advance(1);
    } catch (IOException e) {
      failure.compareAndSet(null, e);
    }
  }

  private static ObjectNode toJson(BatchPrompt prompt, Generation generation) {
    return prompt
        .answer()
        .put("text", generation.text())
        .put("finishReason", generation.reason().name().toLowerCase(Locale.ROOT))
        .put("promptTokens", generation.promptIds().length)
        .put("newTokens", generation.ids().length);
  }

  private void rethrow() throws IOException {
    Throwable thrown = failure.get();
    switch (thrown) {
      case null -> {}
      case IOException io -> throw io;
      case RuntimeException programming -> throw programming;
      case Error error -> throw error;
      default -> throw new IOException(thrown);
    }
  }
}
