package moxin.infer;

import java.util.Arrays;

/// Candidate tokens from the largest logit down, lower ids first on ties, sorted only as far as
/// somebody looks. Mutable, reused from token to token; for one thread.
///
/// One pass finds the largest logit. When a rank is asked for, another picks the candidates near
/// it; counting puts these into buckets by the binary exponent and first bits of their distance
/// from it, and a bucket is sorted when the first rank in it is asked for. How near is near follows
/// from what was looked at before, and does not change the order; those farther off are picked when
/// they are needed. That makes the top k, or a nucleus, O(V) with two passes that write little.
final class TokenRanking {
  /// Exponent and five bits of the mantissa.
  private static final int SHIFT = 18;

  private static final int BUCKETS = 1 << (31 - SHIFT);

  /// Distances below it share a bucket.
  private static final float LEAST = 0x1p-10f;

  /// The distance that is near is between these.
  private static final float NEAREST = 0x1p-3f;

  private static final float FARTHEST = 64;

  /// Where so many are picked and few looked at, fewer are picked the next time.
  private static final int MANY = 512;

  private final int[] ends = new int[BUCKETS];
  private int[] ids = {};
  private int[] picked = {};
  private long[] keys = {};
  private float[] logits = {};

  /// Whether candidate `i` is id `i`.
  private boolean everything;

  private int count;
  private float max;
  private float near = 8;

  /// Candidates nearer than this are in buckets.
  private float reach;

  /// How often candidates were picked.
  private int level;

  private int bucket;
  private int buckets;

  /// How many are in buckets, and how many of these are sorted.
  private int placed;

  private int sorted;

  /// Ranks the ids in `[0, vocabSize)` that `allowed` has. Logits that are −∞ or not a number are
  /// no candidates.
  ///
  /// @param values borrowed until the next reset
  /// @param allowed bit `id % 64` of word `id / 64`
  void reset(float[] values, int vocabSize, long[] allowed) {
    adapt();
    logits = values;
    if (keys.length < vocabSize) {
      ids = new int[vocabSize];
      picked = new int[vocabSize];
      keys = new long[vocabSize];
    }
    everything = isEverything(allowed, vocabSize) && findMax(vocabSize);
    if (everything) {
      count = vocabSize;
    } else {
      gather(vocabSize, allowed);
    }
    reach = 0;
    level = 0;
    bucket = 0;
    buckets = 0;
    placed = 0;
    sorted = 0;
  }

  private void adapt() {
    if (level > 1) {
      near = Math.min(FARTHEST, 2 * near);
    } else if (level == 1 && placed > MANY && sorted < placed / 8) {
      near = Math.max(NEAREST, near / 2);
    }
  }

  private static boolean isEverything(long[] allowed, int vocabSize) {
    int whole = vocabSize / Long.SIZE;
    for (int w = 0; w < whole; w++) {
      if (allowed[w] != -1) {
        return false;
      }
    }
    long rest = (1L << (vocabSize % Long.SIZE)) - 1;
    return rest == 0 || (allowed[whole] & rest) == rest;
  }

  /// Finds the largest of all logits; false if one is no candidate.
  private boolean findMax(int vocabSize) {
    float even = Float.NEGATIVE_INFINITY;
    float odd = Float.NEGATIVE_INFINITY;
    int candidates = 0;
    int i = 0;
    for (; i + 1 < vocabSize; i += 2) {
      float one = logits[i];
      float other = logits[i + 1];
      candidates += one > Float.NEGATIVE_INFINITY ? 1 : 0;
      candidates += other > Float.NEGATIVE_INFINITY ? 1 : 0;
      even = one > even ? one : even;
      odd = other > odd ? other : odd;
    }
    if (i < vocabSize) {
      candidates += logits[i] > Float.NEGATIVE_INFINITY ? 1 : 0;
      even = logits[i] > even ? logits[i] : even;
    }
    max = even > odd ? even : odd;
    return candidates == vocabSize;
  }

  private void gather(int vocabSize, long[] allowed) {
    count = 0;
    max = Float.NEGATIVE_INFINITY;
    for (int w = 0; w * Long.SIZE < vocabSize; w++) {
      for (long word = allowed[w]; word != 0; word &= word - 1) {
        int id = w * Long.SIZE + Long.numberOfTrailingZeros(word);
        if (id < vocabSize) {
          candidate(id);
        }
      }
    }
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

  /// Picks the candidates that are next nearest, and puts them into buckets.
  private void pick() {
    float to = level == 0 ? near : level == 1 ? 4 * near : Float.POSITIVE_INFINITY;
    int size = 0;
    for (int i = 0; i < count; i++) {
      int id = candidateAt(i);
      float distance = max - logits[id];
      if (distance >= reach && (distance < to || to == Float.POSITIVE_INFINITY)) {
        picked[size++] = id;
      }
    }
    int first = bucketOf(Math.max(reach, LEAST));
    int last = bucketOf(to);
    buckets = last - first + 1;
    bucket = 0;
    Arrays.fill(ends, 0, buckets, 0);
    for (int i = 0; i < size; i++) {
      ends[Math.max(0, bucketOf(max - logits[picked[i]]) - first)]++;
    }
    int start = placed;
    for (int b = 0; b < buckets; b++) {
      int length = ends[b];
      ends[b] = start;
      start += length;
    }
    for (int i = 0; i < size; i++) {
      float value = logits[picked[i]];
      keys[ends[Math.max(0, bucketOf(max - value) - first)]++] = key(value, picked[i]);
    }
    placed = start;
    reach = to;
    level++;
  }

  /// Adding 0 makes the difference of zeros of both signs positive.
  private static int bucketOf(float distance) {
    return Float.floatToRawIntBits(distance + 0f) >>> SHIFT;
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
    return everything ? i : ids[i];
  }

  /// The logit of the `i`-th candidate in ascending order of ids.
  float logitAt(int i) {
    return logits[candidateAt(i)];
  }

  /// The candidate of rank `rank`, 0 being the largest logit. The largest logit is finite.
  int at(int rank) {
    while (rank >= sorted) {
      if (bucket == buckets) {
        pick();
      } else {
        int end = ends[bucket++];
        if (end - sorted > 1) {
          Arrays.sort(keys, sorted, end);
        }
        sorted = end;
      }
    }
    return (int) keys[rank];
  }
}
