package moxin.data;

import java.util.Arrays;
import java.util.SplittableRandom;

/// MinHash signatures cut into bands: two sets that share the hash of a band are candidates for
/// being near-duplicates (Broder 1997; Leskovec, Rajaraman and Ullman, Mining of Massive Datasets,
/// 3.4).
///
/// With `b` bands of `r` rows, sets of similarity `s` become candidates with probability `1 - (1 -
/// s^r)^b`. Since candidates are verified afterwards, a false candidate costs time and a missed one
/// costs quality: `r` is the largest that misses at most a tenth of the pairs right at the
/// threshold (16 × 8 for 128 permutations and 0.8). Immutable.
public final class MinHash {
  private static final double MOST_MISSED = 0.1;

  private final int ngram;
  private final int bands;
  private final int rows;
  private final int[] multipliers;
  private final int[] increments;

  private MinHash(int ngram, int bands, int rows) {
    this.ngram = ngram;
    this.bands = bands;
    this.rows = rows;
    SplittableRandom random = new SplittableRandom(0x4D6F78696EL);
    long permutations = (long) bands * rows;
    multipliers = random.ints(permutations).map(value -> value | 1).toArray();
    increments = random.ints(permutations).toArray();
  }

  /// The signatures that `settings` ask for; there must be permutations.
  public static MinHash of(CorpusRecipe.NearDuplicates settings) {
    int permutations = settings.permutations();
    if (permutations == 0) {
      throw new IllegalArgumentException("no permutations");
    }
    int rows = 1;
    while (rows < permutations
        && missed(permutations / (rows + 1), rows + 1, settings.jaccard()) <= MOST_MISSED) {
      rows++;
    }
    return new MinHash(settings.ngram(), permutations / rows, rows);
  }

  private static double missed(int bands, int rows, double similarity) {
    return Math.pow(1 - Math.pow(similarity, rows), bands);
  }

  /// The number of bands.
  public int bands() {
    return bands;
  }

  /// The number of rows of a band.
  public int rows() {
    return rows;
  }

  /// The hash of each band of the signature of `text`; empty if the text has no n-gram.
  public long[] bandHashes(String text) {
    long[] shingles = Shingles.hashes(Shingles.comparable(text), ngram);
    if (shingles.length == 0) {
      return new long[0];
    }
    int[] signature = signature(shingles);
    long[] hashes = new long[bands];
    for (int band = 0; band < bands; band++) {
      long hash = band;
      for (int row = 0; row < rows; row++) {
        hash = Shingles.mix(hash * 0x9E3779B97F4A7C15L + signature[band * rows + row]);
      }
      hashes[band] = hash;
    }
    return hashes;
  }

  /// The smallest value under each permutation.
  int[] signature(long[] shingles) {
    int[] signature = new int[multipliers.length];
    Arrays.fill(signature, Integer.MAX_VALUE);
    int[] a = multipliers;
    int[] b = increments;
    for (long shingle : shingles) {
      update(signature, a, b, (int) (shingle >>> 32));
    }
    return signature;
  }

  /// Kept small so that the compiler turns it into vector instructions.
  private static void update(int[] signature, int[] a, int[] b, int shingle) {
    for (int i = 0; i < signature.length; i++) {
      int h = shingle * a[i] + b[i];
      h = (h ^ (h >>> 16)) * 0x85EBCA6B;
      signature[i] = Math.min(signature[i], h);
    }
  }
}
