package moxin.eval;

import moxin.model.ModelConfig;

/// How requests are answered; none of it changes an answer but `maxLength`.
///
/// @param maxLength the most ids the model is fed at once; longer requests lose their beginning,
///   longer rolling texts are read in windows
/// @param sessions how many sequences advance together
/// @param tokensPerCall how many new ids one call of the model takes, over all sessions
public record RunnerOptions(int maxLength, int sessions, int tokensPerCall) {

  private static final int MAX_LOGITS_PER_CALL = 1 << 24;

  public RunnerOptions {
    requirePositive("maxLength", maxLength);
    requirePositive("sessions", sessions);
    requirePositive("tokensPerCall", tokensPerCall);
  }

  /// 16 sessions, 2048 tokens a call, and the context the model is meant for.
  public static RunnerOptions forModel(ModelConfig config) {
    return new RunnerOptions(config.maxPositionEmbeddings(), 16, 2048);
  }

  /// These options with another length.
  public RunnerOptions withMaxLength(int length) {
    return new RunnerOptions(length, sessions, tokensPerCall);
  }

  /// These options with another number of sessions.
  public RunnerOptions withSessions(int count) {
    return new RunnerOptions(maxLength, count, tokensPerCall);
  }

  /// How many rows of logits one call may return: at most 64 MiB of them.
  int rowsPerCall(int vocabSize) {
    return Math.clamp(MAX_LOGITS_PER_CALL / vocabSize, 1, tokensPerCall);
  }

  private static void requirePositive(String name, int value) {
    if (value <= 0) {
      throw new IllegalArgumentException(name + " must be positive, found " + value);
    }
  }
}
