package moxin.eval;

import java.util.List;
import java.util.OptionalDouble;

/// The metrics of lm-evaluation-harness that tasks here use, with its aggregation and its standard
/// errors: of a mean the sample's standard deviation over √n, of weighted perplexities none.
public enum Metric {
  /// The share of questions whose most probable choice is the right one.
  ACC("acc", Aggregation.MEAN),
  /// The same with each log-likelihood divided by its choice's length in characters (Unicode code
  /// points, the space before the choice not counted), as the harness does.
  ACC_NORM("acc_norm", Aggregation.MEAN),
  /// exp of the mean negative log-likelihood of a word.
  WORD_PERPLEXITY("word_perplexity", Aggregation.PERPLEXITY),
  /// exp of the mean negative log-likelihood of a UTF-8 byte.
  BYTE_PERPLEXITY("byte_perplexity", Aggregation.PERPLEXITY),
  /// The mean negative binary logarithm of a UTF-8 byte's probability.
  BITS_PER_BYTE("bits_per_byte", Aggregation.BITS),
  /// exp of the mean negative log-likelihood of a token; not comparable between tokenizers. Ours,
  /// not the harness's.
  TOKEN_PERPLEXITY("token_perplexity", Aggregation.PERPLEXITY);

  private final String key;
  private final Aggregation aggregation;

  Metric(String key, Aggregation aggregation) {
    this.key = key;
    this.aggregation = aggregation;
  }

  /// The name in result files.
  public String key() {
    return key;
  }

  /// Whether more is better.
  public boolean higherIsBetter() {
    return aggregation == Aggregation.MEAN;
  }

  /// The metric over all documents.
  ///
  /// @throws IllegalArgumentException if there are none
  public double aggregate(List<Observation> observations) {
    if (observations.isEmpty()) {
      throw new IllegalArgumentException(key + " of no documents");
    }
    double value = 0;
    double weight = 0;
    for (Observation observation : observations) {
      value += observation.value();
      weight += observation.weight();
    }
    return switch (aggregation) {
      case MEAN -> value / observations.size();
      case PERPLEXITY -> Math.exp(-value / weight);
      case BITS -> -value / weight / Math.log(2);
    };
  }

  /// The standard error over documents, where the metric has one and there are two or more.
  public OptionalDouble standardError(List<Observation> observations) {
    int n = observations.size();
    if (aggregation != Aggregation.MEAN || n < 2) {
      return OptionalDouble.empty();
    }
    double mean = aggregate(observations);
    double squares = 0;
    for (Observation observation : observations) {
      squares += (observation.value() - mean) * (observation.value() - mean);
    }
    return OptionalDouble.of(Math.sqrt(squares / (n - 1)) / Math.sqrt(n));
  }

  private enum Aggregation {
    MEAN,
    PERPLEXITY,
    BITS
  }
}
