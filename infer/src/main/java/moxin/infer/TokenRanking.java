package moxin.infer;

import java.util.Arrays;

/// Candidate tokens from the largest logit down, lower ids first on ties, sorted only as far as
/// somebody looks. Mutable, reused from token to token; for one thread.
///
/// Counting puts the candidates into buckets by the binary exponent and first bits of their
/// distance from the largest logit, so that the buckets near it are small; a bucket is sorted when
/// the first rank in it is asked for, and the far ones are not even filled until then. That makes
/// the top k, or a nucleus, O(V) with three passes.
final class TokenRanking {
  /// Exponent and five bits of the mantissa.
  private static final int SHIFT = 18;

  private static final int BUCKETS = 1 << (31 - SHIFT);

  /// How many of the largest are put in order of buckets at first, at least.
  private static final int NEAR = 256;

  private final int[] ends = new int[BUCKETS];
  private int[] ids = {};
  private long[] keys = {};
  private float[] logits = {};
  private int count;
  private float max;
  private int bucket;
  private int sorted;

  /// The buckets before this one are filled.
  private int filled;

  /// Ranks the ids in `[0, vocabSize)` that `allowed` has. Logits that are −∞ or not a number are
  /// no candidates.
  ///
  /// @param values borrowed until the next reset
  /// @param allowed bit `id % 64` of word `id / 64`
  void reset(float[] values, int vocabSize, long[] allowed) {
    logits = values;
    if (ids.length < vocabSize) {
      ids = new int[vocabSize];
      keys = new long[vocabSize];
    }
    count = 0;
    max = Float.NEGATIVE_INFINITY;
    for (int w = 0; w * Long.SIZE < vocabSize; w++) {
      if (allowed[w] == -1) {
        int end = Math.min(vocabSize, (w + 1) * Long.SIZE);
        for (int id = w * Long.SIZE; id < end; id++) {
          candidate(id);
        }
      } else {
        for (long word = allowed[w]; word != 0; word &= word - 1) {
          int id = w * Long.SIZE + Long.numberOfTrailingZeros(word);
          if (id < vocabSize) {
            candidate(id);
          }
        }
      }
    }
    distribute();
  }

  private void candidate(int id) {
    float value = logits[id];
    if (value > Float.NEGATIVE_INFINITY) {
      ids[count++] = id;
      if (value > max) {
        max = value;
      }
    }
  }

  private void distribute() {
    bucket = 0;
    sorted = 0;
    if (max == Float.POSITIVE_INFINITY) {
      return;
    }
    Arrays.fill(ends, 0);
    for (int i = 0; i < count; i++) {
      ends[bucketOf(logits[ids[i]])]++;
    }
    int start = 0;
    filled = 0;
    for (int b = 0; b < BUCKETS; b++) {
      filled += start < NEAR ? 1 : 0;
      int size = ends[b];
      ends[b] = start;
      start += size;
    }
    fill(0, filled);
  }

  /// Puts the candidates of the buckets from `first` to before `end` behind one another.
  private void fill(int first, int end) {
    for (int i = 0; i < count; i++) {
      float value = logits[ids[i]];
      int b = bucketOf(value);
      if (b < end && b >= first) {
        keys[ends[b]++] = key(value, ids[i]);
      }
    }
  }

  /// Adding 0 makes the difference of zeros of both signs positive.
  private int bucketOf(float value) {
    return Float.floatToRawIntBits(max - value + 0f) >>> SHIFT;
  }

  /// Ascending keys are descending logits, then ascending ids. Adding 0 makes −0 and 0 equal.
  private static long key(float value, int id) {
    int bits = Float.floatToRawIntBits(value + 0f);
    int ascending = bits ^ ((bits >> 31) & Integer.MAX_VALUE);
    return ((long) ~ascending << 32) | id;
  }

  /// How many candidates there are.
  int count() {
    return count;
  }

  /// The largest logit; −∞ without candidates.
  float max() {
    return max;
  }

  /// The `i`-th candidate in ascending order of ids.
  int candidateAt(int i) {
    return ids[i];
  }

  /// The candidate of rank `rank`, 0 being the largest logit.
  int at(int rank) {
    while (rank >= sorted) {
      if (bucket == filled) {
        fill(filled, BUCKETS);
        filled = BUCKETS;
      }
      int end = ends[bucket++];
      if (end - sorted > 1) {
        Arrays.sort(keys, sorted, end);
      }
      sorted = end;
    }
    return (int) keys[rank];
  }
}
