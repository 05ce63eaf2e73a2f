package moxin.eval;

import java.util.List;
import java.util.OptionalInt;
import moxin.model.LanguageModel;
import moxin.model.LogitRows;
import moxin.model.Logits;
import moxin.model.ModelConfig;

/// A model whose next id depends on the last one alone, with known probabilities: after id `i`, id
/// `(i + 1) mod V` has probability `likely`, the others share the rest.
final class BigramModel implements LanguageModel {
  private final ModelConfig config;
  private final double likely;

  BigramModel(int vocabSize, int context, double likely) {
    this.config =
        new ModelConfig(
            "mistral",
            vocabSize,
            2,
            2,
            1,
            1,
            1,
            2,
            1e-5,
            10000,
            OptionalInt.empty(),
            context,
            true,
            1,
            2,
            0.02);
    this.likely = likely;
  }

  /// ln p(next | last).
  double logProbability(int last, int next) {
    int vocabSize = config.vocabSize();
    boolean successor = next == (last + 1) % vocabSize;
    return Math.log(successor ? likely : (1 - likely) / (vocabSize - 1));
  }

  @Override
  public ModelConfig config() {
    return config;
  }

  @Override
  public Session newSession() {
    return new BigramSession();
  }

  @Override
  public List<Logits> ingest(List<Ingestion> ingestions) {
    return ingestions.stream().map(i -> i.session().ingest(i.tokens(), i.rows())).toList();
  }

  @Override
  public void close() {}

  private final class BigramSession implements Session {
    private int position;

    @Override
    public int position() {
      return position;
    }

    @Override
    public Logits ingest(int[] tokens, LogitRows rows) {
      position += tokens.length;
      int vocabSize = config.vocabSize();
      if (rows == LogitRows.NONE) {
        return Logits.none(vocabSize);
      }
      int first = rows == LogitRows.ALL ? 0 : tokens.length - 1;
      float[] values = new float[(tokens.length - first) * vocabSize];
      for (int t = first; t < tokens.length; t++) {
        for (int id = 0; id < vocabSize; id++) {
          values[(t - first) * vocabSize + id] = (float) logProbability(tokens[t], id);
        }
      }
      return new Logits(tokens.length - first, vocabSize, values);
    }

    @Override
    public boolean canRewindTo(int target) {
      return target <= position;
    }

    @Override
    public void rewindTo(int target) {
      position = target;
    }

    @Override
    public int rewindReach() {
      return config.maxPositionEmbeddings() - position;
    }

    @Override
    public Session fork(int target) {
      BigramSession fork = new BigramSession();
      fork.position = target;
      return fork;
    }

    @Override
    public void close() {}
  }
}
