package moxin.infer.schedule;

import java.time.Duration;

/// What a scheduler does now and has done since it was started.
///
/// @param queued requests that wait
/// @param prefilling requests whose prompts are being read
/// @param decoding requests whose texts are being written
/// @param finished requests that ended by themselves
/// @param rejected requests that were not taken because too many waited
/// @param steps passes over the weights
/// @param promptTokens tokens of prompts that were computed
/// @param reusedTokens tokens of prompts that were not, since a text before began alike
/// @param newTokens tokens written
/// @param proposedTokens tokens proposed by speculation
/// @param acceptedTokens those of them that became part of a text
/// @param promptTokensPerSecond over the last seconds of work
/// @param newTokensPerSecond over the last seconds of work
/// @param batchSizes how many passes wrote so many texts at once; the index is the number of texts
/// @param firstToken from submission to the first new token
/// @param modelTime spent in passes over the weights
/// @param otherTime spent between passes: planning, proposing, choosing tokens, bookkeeping
/// @param keptSessions sessions kept for texts that begin alike
/// @param keptBytes their memory and that of the remembered ids
public record SchedulerMetrics(
    int queued,
    int prefilling,
    int decoding,
    long finished,
    long cancelled,
    long failed,
    long rejected,
    long steps,
    long promptTokens,
    long reusedTokens,
    long newTokens,
    long proposedTokens,
    long acceptedTokens,
    double promptTokensPerSecond,
    double newTokensPerSecond,
    long[] batchSizes,
    Latency firstToken,
    Duration modelTime,
    Duration otherTime,
    int keptSessions,
    long keptBytes) {

  /// A distribution of times; quantiles are within a fifth.
  ///
  /// @param count how many were measured
  public record Latency(
      long count, Duration mean, Duration median, Duration percentile90, Duration percentile99) {}
}
