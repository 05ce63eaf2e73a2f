package moxin.model;

/// Logits of some positions, `(rows, V)` row-major in fp32. Immutable once returned; the array is
/// not copied and is not to be written.
///
/// @param rows how many positions, 0 for [LogitRows#NONE]
/// @param vocabSize V
/// @param values at least `rows · V` numbers
public record Logits(int rows, int vocabSize, float[] values) {

  public Logits {
    if (rows < 0 || vocabSize <= 0 || (long) rows * vocabSize > values.length) {
      throw new IllegalArgumentException(
          rows + " rows of " + vocabSize + " logits do not fit in " + values.length);
    }
  }

  /// No rows.
  public static Logits none(int vocabSize) {
    return new Logits(0, vocabSize, new float[0]);
  }

  /// The logit of token `id` in row `row`.
  public float at(int row, int id) {
    return values[row * vocabSize + id];
  }

  /// A copy of one row, `(V)`.
  public float[] row(int row) {
    return java.util.Arrays.copyOfRange(values, row * vocabSize, (row + 1) * vocabSize);
  }

  /// The natural logarithm of token `id`'s probability in row `row`, computed in float64.
  public double logProbability(int row, int id) {
    int start = row * vocabSize;
    float max = Float.NEGATIVE_INFINITY;
    for (int i = start; i < start + vocabSize; i++) {
      max = Math.max(max, values[i]);
    }
    double sum = 0;
    for (int i = start; i < start + vocabSize; i++) {
      sum += Math.exp((double) values[i] - max);
    }
    return (double) values[start + id] - max - Math.log(sum);
  }

  /// The id with the largest logit of row `row`, the lowest such id on ties.
  public int argmax(int row) {
    int start = row * vocabSize;
    int best = start;
    for (int i = start + 1; i < start + vocabSize; i++) {
      if (values[i] > values[best]) {
        best = i;
      }
    }
    return best - start;
  }
}
