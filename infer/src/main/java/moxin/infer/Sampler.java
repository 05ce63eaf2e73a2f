package moxin.infer;

import java.util.Arrays;
import moxin.job.SplitMix64;
import moxin.model.Logits;

/// Draws tokens from logits. Mutable; for one thread.
///
/// The order is that of Hugging Face: penalties, logit bias, temperature, top-k, top-p, min-p,
/// typical-p (Meister et al. 2023), then one draw from what is left, renormalised at each step.
/// Tokens are ranked by logit, lower ids first on ties, and the draw goes through them in this
/// order. All in float64, with a generator of its own (SplitMix64, Steele et al. 2014), so that a
/// seed means the same everywhere; logits that a penalty or a bias changed are fp32 again.
public final class Sampler {
  /// No token: the mask and the bias leave none.
  public static final int NONE = -1;

  private final SamplingOptions options;
  private final PenaltyHistory history;
  private final TokenRanking ranking = new TokenRanking();
  private long state;
  private float[] adjusted = {};
  private long[] everything = {};
  private int[] kept = {};
  private double[] weights = {};
  private int keptCount;

  /// Between these is the sum of all weights; equal once it is known exactly.
  private double leastSum;

  private double greatestSum;

  public Sampler(SamplingOptions options) {
    this.options = options;
    this.history = new PenaltyHistory(options);
    this.state = options.seed();
  }

  /// What is drawn from: the tokens that truncation keeps, from the largest logit down.
  ///
  /// @param ids tokens
  /// @param probabilities of these tokens, which sum to 1
  public record Distribution(int[] ids, double[] probabilities) {}

  /// Tells the penalties about a prompt. Ids are in the vocabulary.
  public void acceptPrompt(int... ids) {
    for (int id : ids) {
      history.addPrompt(id);
    }
  }

  /// Tells the penalties that `id` has become part of the sequence.
  public void accept(int id) {
    history.add(id);
  }

  /// A token for row `row` of `logits`, or [#NONE].
  ///
  /// @throws IllegalArgumentException if the largest logit is not finite
  public int sample(Logits logits, int row) {
    return sample(logits, row, everything(logits.vocabSize()), history.isNone());
  }

  /// A token for row `row` of `logits` among `allowed`, or [#NONE].
  ///
  /// @param allowed ⌈V / 64⌉ words; token `id` is bit `id % 64` of word `id / 64`
  /// @throws IllegalArgumentException if the largest logit is not finite, or the largest of the
  ///   allowed is +∞
  public int sample(Logits logits, int row, long[] allowed) {
    return sample(logits, row, allowed, false);
  }

  /// @param plain that logits are as the model gave them and all tokens allowed: then ranking finds
  ///   what is not finite
  private int sample(Logits logits, int row, long[] allowed, boolean plain) {
    if (options.temperature() == 0 || !plain) {
      requireFinite(logits, row);
    }
    adjust(logits, row);
    if (options.temperature() == 0) {
      return largest(logits.vocabSize(), allowed);
    }
    rank(logits.vocabSize(), allowed);
    if (plain && !Float.isFinite(ranking.max())) {
      throw new IllegalArgumentException("the logits are not finite");
    }
    return ranking.count() == 0 ? NONE : draw();
  }

  /// What [#sample(Logits, int)] would draw from.
  public Distribution distribution(Logits logits, int row) {
    return distribution(logits, row, everything(logits.vocabSize()));
  }

  /// What [#sample(Logits, int, long[])] would draw from, without drawing. At temperature 0 one
  /// token has all probability; without a token it is empty.
  public Distribution distribution(Logits logits, int row, long[] allowed) {
    requireFinite(logits, row);
    adjust(logits, row);
    if (options.temperature() == 0) {
      int id = largest(logits.vocabSize(), allowed);
      return id == NONE
          ? new Distribution(new int[0], new double[0])
          : new Distribution(new int[] {id}, new double[] {1});
    }
    rank(logits.vocabSize(), allowed);
    truncate();
    for (int i = keptCount; i < ranking.count() && isWhole(); i++) {
      keep(i);
    }
    double sum = keptSum(keptCount);
    double[] probabilities = Arrays.copyOf(weights, keptCount);
    for (int i = 0; i < keptCount; i++) {
      probabilities[i] /= sum;
    }
    return new Distribution(Arrays.copyOf(kept, keptCount), probabilities);
  }

  private static void requireFinite(Logits logits, int row) {
    if (!Float.isFinite(logits.at(row, logits.argmax(row)))) {
      throw new IllegalArgumentException("the logits are not finite");
    }
  }

  private long[] everything(int vocabSize) {
    int words = (vocabSize + Long.SIZE - 1) / Long.SIZE;
    if (everything.length != words) {
      everything = new long[words];
      Arrays.fill(everything, -1);
    }
    return everything;
  }

  private void adjust(Logits logits, int row) {
    int vocabSize = logits.vocabSize();
    if (adjusted.length != vocabSize) {
      adjusted = new float[vocabSize];
    }
    System.arraycopy(logits.values(), row * vocabSize, adjusted, 0, vocabSize);
    if (!history.isNone()) {
      history.apply(adjusted, vocabSize);
    }
  }

  private int largest(int vocabSize, long[] allowed) {
    int best = NONE;
    float max = Float.NEGATIVE_INFINITY;
    for (int w = 0; w * Long.SIZE < vocabSize; w++) {
      for (long word = allowed[w]; word != 0; word &= word - 1) {
        int id = w * Long.SIZE + Long.numberOfTrailingZeros(word);
        if (id < vocabSize && adjusted[id] > max) {
          max = adjusted[id];
          best = id;
        }
      }
    }
    return best;
  }

  private void rank(int vocabSize, long[] allowed) {
    ranking.reset(adjusted, vocabSize, allowed);
    if (ranking.max() == Float.POSITIVE_INFINITY) {
      throw new IllegalArgumentException("the logits are not finite");
    }
    if (kept.length < ranking.count()) {
      kept = new int[ranking.count()];
      weights = new double[ranking.count()];
    }
    keptCount = 0;
  }

  private int draw() {
    truncate();
    if (isWhole()) {
      boundSumOfAll();
    } else {
      setSum(keptSum(keptCount));
    }
    double share = nextDouble();
    int end = isWhole() ? ranking.count() : keptCount;
    double sum = 0;
    for (int i = 0; i < end; i++) {
      if (i == keptCount) {
        keep(i);
      }
      sum += weights[i];
      if (exceeds(sum, share)) {
        return kept[i];
      }
    }
    return kept[end - 1];
  }

  /// Whether nothing is truncated; then tokens are ranked only as far as the draw needs them.
  private boolean isWhole() {
    return options.topP() == 1
        && options.minP() == 0
        && options.typicalP() == 1
        && (options.topK() == 0 || options.topK() >= ranking.count());
  }

  /// Keeps what the options keep; nothing yet if that is everything.
  private void truncate() {
    if (isWhole() || ranking.count() == 0) {
      return;
    }
    int limit = ranking.count();
    if (options.topK() > 0 && options.topK() < limit) {
      limit = options.topK();
      keepUntil(limit);
    }
    if (options.topP() < 1) {
      if (keptCount == limit) {
        setSum(keptSum(limit));
      } else {
        boundSumOfAll();
      }
      limit = nucleus(limit);
    }
    if (options.minP() > 0) {
      limit = likely(limit);
    }
    keepUntil(limit);
    keptCount = limit;
    if (options.typicalP() < 1) {
      keptCount = TypicalTokens.keep(kept, weights, keptCount, options.typicalP());
    }
  }

  private void keepUntil(int limit) {
    while (keptCount < limit) {
      keep(keptCount);
    }
  }

  private void keep(int rank) {
    kept[rank] = ranking.at(rank);
    weights[rank] = weight(kept[rank]);
    keptCount = rank + 1;
  }

  /// Relative to the most probable token's, which is 1.
  private double weight(int id) {
    return Math.exp(((double) adjusted[id] - ranking.max()) / options.temperature());
  }

  private void setSum(double exact) {
    leastSum = exact;
    greatestSum = exact;
  }

  /// Knows the sum of all weights well enough for nearly every question about it.
  private void boundSumOfAll() {
    double sum = ExponentialSum.of(ranking, options.temperature());
    leastSum = sum * (1 - ExponentialSum.RELATIVE_ERROR);
    greatestSum = sum * (1 + ExponentialSum.RELATIVE_ERROR);
  }

  /// Whether `sum` is at least `share` of the sum. Rounding is monotonic, so that the bounds answer
  /// as the exact sum would where they agree.
  private boolean reaches(double sum, double share) {
    if (sum >= share * greatestSum) {
      return true;
    }
    if (sum < share * leastSum) {
      return false;
    }
    setSum(sumOfAll());
    return sum >= share * greatestSum;
  }

  /// Whether `sum` is more than `share` of the sum.
  private boolean exceeds(double sum, double share) {
    if (sum > share * greatestSum) {
      return true;
    }
    if (sum <= share * leastSum) {
      return false;
    }
    setSum(sumOfAll());
    return sum > share * greatestSum;
  }

  /// The sum of all weights in ascending order of ids.
  private double sumOfAll() {
    double sum = 0;
    for (int i = 0; i < ranking.count(); i++) {
      sum += weight(ranking.candidateAt(i));
    }
    return sum;
  }

  private double keptSum(int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += weights[i];
    }
    return sum;
  }

  /// How many of the first `limit` reach the share that is asked for.
  private int nucleus(int limit) {
    double sum = 0;
    int count = 0;
    while (count < limit && !reaches(sum, options.topP())) {
      if (count == keptCount) {
        keep(count);
      }
      sum += weights[count++];
    }
    return count;
  }

  private int likely(int limit) {
    keepUntil(1);
    int count = 1;
    while (count < limit) {
      if (count == keptCount) {
        keep(count);
      }
      if (weights[count] < options.minP()) {
        break;
      }
      count++;
    }
    return count;
  }

  private double nextDouble() {
    state += SplitMix64.GOLDEN;
    return (SplitMix64.mix(state) >>> 11) * 0x1.0p-53;
  }
}
