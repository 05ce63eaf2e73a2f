package moxin.infer;

import java.util.Arrays;
import java.util.Map;

/// The last tokens of a sequence, and what the next logits lose or gain. Mutable; for one thread.
final class PenaltyHistory {
  private final SamplingOptions.Penalties penalties;
  private final Map<Integer, Double> bias;
  private int[] tokens = new int[64];
  private int size;
  private int promptSize;

  /// By id, what is in the window: all tokens, and new ones.
  private int[] counts = {};

  private int[] newCounts = {};

  PenaltyHistory(SamplingOptions options) {
    this.penalties = options.penalties();
    this.bias = options.logitBias();
  }

  /// Whether logits stay as they are.
  boolean isNone() {
    return penalties.isNone() && bias.isEmpty();
  }

  void addPrompt(int id) {
    add(id);
    promptSize = size;
  }

  void add(int id) {
    if (penalties.isNone()) {
      return;
    }
    if (size == tokens.length) {
      tokens = Arrays.copyOf(tokens, size * 2);
    }
    tokens[size++] = id;
  }

  /// Changes `logits`, `(V)`, rounding once to fp32.
  void apply(float[] logits, int vocabSize) {
    if (!penalties.isNone()) {
      penalise(logits, vocabSize);
    }
    bias.forEach(
        (id, value) -> {
          if (id < vocabSize) {
            logits[id] = (float) (logits[id] + value);
          }
        });
  }

  private void penalise(float[] logits, int vocabSize) {
    if (counts.length < vocabSize) {
      counts = new int[vocabSize];
      newCounts = new int[vocabSize];
    }
    int start = Math.max(0, size - Math.min(size, penalties.window()));
    for (int i = start; i < size; i++) {
      counts[tokens[i]]++;
      newCounts[tokens[i]] += i >= promptSize ? 1 : 0;
    }
    for (int i = start; i < size; i++) {
      int id = tokens[i];
      if (counts[id] > 0) {
        logits[id] = penalised(logits[id], newCounts[id]);
        counts[id] = 0;
        newCounts[id] = 0;
      }
    }
  }

  private float penalised(double logit, int newCount) {
    double repeated = logit > 0 ? logit / penalties.repetition() : logit * penalties.repetition();
    double present = newCount > 0 ? penalties.presence() : 0;
    return (float) (repeated - present - penalties.frequency() * newCount);
  }
}
