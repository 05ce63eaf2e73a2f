package moxin.infer.schedule;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import moxin.infer.Generation;

/// A request under way. Thread-safe.
public interface ScheduledGeneration {

  /// Completes when the generation has ended and its consumer has been told everything; with
  /// [moxin.infer.FinishReason#CANCELLED] and what was written where it was cancelled, with an
  /// exception where the engine or the consumer failed. Completing or cancelling this future does
  /// nothing to the generation. Dependents run on no thread of the scheduler's.
  CompletableFuture<Generation> completion();

  /// Asks for the end of the generation: before the next pass over the weights begins.
  void cancel();

  /// Why it is being or has been cancelled, where it has.
  Optional<CancelCause> cancelCause();

  /// Tokens of its prompt that need not be computed, since a text before began alike.
  int reusedTokens();
}
