package moxin.infer.schedule;

import java.time.Duration;

/// How a scheduler shares a model between requests.
///
/// @param maxSessions requests that are worked on at once
/// @param maxQueued requests that may wait; more are rejected
/// @param tokensPerStep tokens of all requests in one pass, at least `maxSessions`
/// @param stepTime while texts are being decoded, prompts are cut so that a pass takes about so
///   long, and at least 32 tokens
/// @param cacheSize the memory of a session
/// @param cacheBytes for the sessions of all requests together: a request begins when its prompt
///   and its longest answer fit
/// @param prefixCacheBytes for sessions kept because others may begin alike; 0 keeps none
/// @param speculation whether several tokens of a text are decoded in one pass
public record SchedulerOptions(
    int maxSessions,
    int maxQueued,
    int tokensPerStep,
    Duration stepTime,
    CacheSize cacheSize,
    long cacheBytes,
    long prefixCacheBytes,
    Speculation speculation) {

  public SchedulerOptions {
    require(maxSessions >= 1, "max sessions must be at least 1, found " + maxSessions);
    require(maxQueued >= 1, "max queued must be at least 1, found " + maxQueued);
    require(
        tokensPerStep >= maxSessions,
        "tokens per step must be at least max sessions, found " + tokensPerStep);
    require(!stepTime.isNegative(), "step time must not be negative, found " + stepTime);
    require(cacheBytes >= 1, "cache bytes must be at least 1, found " + cacheBytes);
    require(prefixCacheBytes >= 0, "prefix cache bytes must not be negative: " + prefixCacheBytes);
  }

  /// 16 requests at once, 256 waiting, 256 tokens in a pass of a quarter of a second, half of the
  /// JVM's memory for sessions and an eighth for prefixes, no speculation.
  ///
  /// @param cacheSize of a session of the model that is to be served
  public static SchedulerOptions defaults(CacheSize cacheSize) {
    long memory = Runtime.getRuntime().maxMemory();
    return new SchedulerOptions(
        16,
        256,
        256,
        Duration.ofMillis(250),
        cacheSize,
        memory / 2,
        memory / 8,
        Speculation.none());
  }

  /// These options for so many requests at once.
  public SchedulerOptions withMaxSessions(int count) {
    return new SchedulerOptions(
        count,
        maxQueued,
        Math.max(count, tokensPerStep),
        stepTime,
        cacheSize,
        cacheBytes,
        prefixCacheBytes,
        speculation);
  }

  /// These options with room for so many waiting requests.
  public SchedulerOptions withMaxQueued(int count) {
    return new SchedulerOptions(
        maxSessions,
        count,
        tokensPerStep,
        stepTime,
        cacheSize,
        cacheBytes,
        prefixCacheBytes,
        speculation);
  }

  /// These options with passes of at most so many tokens.
  public SchedulerOptions withTokensPerStep(int tokens) {
    return new SchedulerOptions(
        maxSessions,
        maxQueued,
        tokens,
        stepTime,
        cacheSize,
        cacheBytes,
        prefixCacheBytes,
        speculation);
  }

  /// These options with other budgets of memory.
  public SchedulerOptions withCache(CacheSize size, long sessionBytes, long prefixBytes) {
    return new SchedulerOptions(
        maxSessions,
        maxQueued,
        tokensPerStep,
        stepTime,
        size,
        sessionBytes,
        prefixBytes,
        speculation);
  }

  /// These options with another speculation.
  public SchedulerOptions withSpeculation(Speculation other) {
    return new SchedulerOptions(
        maxSessions,
        maxQueued,
        tokensPerStep,
        stepTime,
        cacheSize,
        cacheBytes,
        prefixCacheBytes,
        other);
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalArgumentException(otherwise);
    }
  }
}
