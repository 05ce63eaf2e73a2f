package moxin.infer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Function;
import moxin.model.LanguageModel;
import moxin.model.LogitRows;
import moxin.model.Logits;
import moxin.model.ModelConfig;

/// A language model whose logits are any function of the tokens so far.
public final class ScriptedModel implements LanguageModel {
  private final ModelConfig config;
  private final Function<int[], float[]> logits;

  /// The most rows that one call returned.
  public int mostRows;

  /// @param logits tokens so far → logits `(V)`
  public ScriptedModel(int vocabSize, Function<int[], float[]> logits) {
    this.logits = logits;
    this.config =
        new ModelConfig(
            "mistral",
            vocabSize,
            8,
            8,
            1,
            1,
            1,
            8,
            1e-5,
            10000,
            OptionalInt.of(4096),
            1 << 20,
            false,
            OptionalInt.of(0),
            List.of(1),
            0.02);
  }

  @Override
  public ModelConfig config() {
    return config;
  }

  @Override
  public Session newSession() {
    return new ScriptedSession();
  }

  @Override
  public List<Logits> ingest(List<Ingestion> ingestions) {
    List<Logits> results = new ArrayList<>();
    for (Ingestion ingestion : ingestions) {
      results.add(ingestion.session().ingest(ingestion.tokens(), ingestion.rows()));
    }
    return results;
  }

  @Override
  public void close() {}

  private final class ScriptedSession implements Session {
    private int[] tokens = {};

    @Override
    public int position() {
      return tokens.length;
    }

    @Override
    public Logits ingest(int[] more, LogitRows rows) {
      int before = tokens.length;
      tokens = Arrays.copyOf(tokens, before + more.length);
      System.arraycopy(more, 0, tokens, before, more.length);
      int first =
          switch (rows) {
            case NONE -> tokens.length;
            case LAST -> tokens.length - 1;
            case ALL -> before;
          };
      int count = tokens.length - first;
      mostRows = Math.max(mostRows, count);
      int vocabSize = config.vocabSize();
      float[] values = new float[count * vocabSize];
      for (int row = 0; row < count; row++) {
        float[] here = logits.apply(Arrays.copyOf(tokens, first + row + 1));
        System.arraycopy(here, 0, values, row * vocabSize, vocabSize);
      }
      return new Logits(count, vocabSize, values);
    }

    @Override
    public boolean canRewindTo(int position) {
      return position <= tokens.length;
    }

    @Override
    public void rewindTo(int position) {
      tokens = Arrays.copyOf(tokens, position);
    }

    @Override
    public int rewindReach() {
      return Integer.MAX_VALUE;
    }

    @Override
    public Session fork(int position) {
      ScriptedSession fork = new ScriptedSession();
      fork.tokens = Arrays.copyOf(tokens, position);
      return fork;
    }

    @Override
    public void close() {}
  }
}
