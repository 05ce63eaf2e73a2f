package moxin.infer.schedule;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongUnaryOperator;
import moxin.model.LanguageModel;
import moxin.model.LogitRows;
import moxin.model.Logits;
import moxin.model.ModelConfig;

/// A model that needs no arithmetic: the logits of a position are drawn from a generator whose seed
/// is a hash of the last ids. A pass advances a virtual clock by what it is said to cost.
final class HashModel implements LanguageModel {
  static final int VOCABULARY = 29;
  static final int END = 2;

  private final ModelConfig config;
  private final int order;
  private final float spread;
  private final LongUnaryOperator cost;
  private final int slack;
  final AtomicLong clock = new AtomicLong();
  final AtomicInteger open = new AtomicInteger();
  final List<List<Ingestion>> passes = new ArrayList<>();
  Consumer<List<Ingestion>> before = _ -> {};

  /// @param order how many of the last ids decide
  /// @param spread of the logits; 0 makes all tokens as likely, but for the end, which never comes
  /// @param slack with a window, how many tokens can be forgotten
  /// @param cost of a pass over so many tokens, in nanoseconds
  HashModel(int order, float spread, OptionalInt window, int slack, LongUnaryOperator cost) {
    this.order = order;
    this.spread = spread;
    this.slack = slack;
    this.cost = cost;
    this.config =
        new ModelConfig(
            "mistral",
            VOCABULARY,
            2,
            2,
            1,
            1,
            1,
            2,
            1e-5,
            10000,
            window,
            100_000,
            true,
            OptionalInt.of(1),
            List.of(END),
            0.02);
  }

  static HashModel plain() {
    return new HashModel(3, 3, OptionalInt.empty(), 0, n -> 1000 + 100 * n);
  }

  @Override
  public ModelConfig config() {
    return config;
  }

  @Override
  public Session newSession() {
    open.incrementAndGet();
    return new HashSession(new int[64], 0, 0);
  }

  @Override
  public List<Logits> ingest(List<Ingestion> ingestions) {
    before.accept(ingestions);
    passes.add(List.copyOf(ingestions));
    List<Logits> logits = new ArrayList<>();
    long tokens = 0;
    for (Ingestion ingestion : ingestions) {
      tokens += ingestion.tokens().length;
      logits.add(((HashSession) ingestion.session()).read(ingestion.tokens(), ingestion.rows()));
    }
    clock.addAndGet(cost.applyAsLong(tokens));
    return logits;
  }

  /// The tokens of the latest pass.
  int lastTokens() {
    return passes.getLast().stream().mapToInt(ingestion -> ingestion.tokens().length).sum();
  }

  private void logits(int[] ids, int end, float[] values, int at) {
    long hash = 17;
    for (int i = Math.max(0, end - order); i < end; i++) {
      hash = (hash ^ ids[i]) * 0x9E3779B97F4A7C15L;
    }
    SplittableRandom random = new SplittableRandom(hash);
    for (int id = 0; id < VOCABULARY; id++) {
      values[at + id] = spread * (float) random.nextGaussian();
    }
    values[at + END] -= spread < 0.1f ? 1000 : 2;
  }

  @Override
  public void close() {}

  private final class HashSession implements Session {
    private int[] ids;
    private int position;
    private int oldest;
    private boolean closed;

    HashSession(int[] ids, int position, int oldest) {
      this.ids = ids;
      this.position = position;
      this.oldest = oldest;
    }

    private int capacity() {
      return config.slidingWindow().isPresent()
          ? config.slidingWindow().getAsInt() + slack - 1
          : config.maxPositionEmbeddings();
    }

    private int firstVisible(int at) {
      return Math.max(0, at - config.slidingWindow().orElse(Integer.MAX_VALUE) + 1);
    }

    Logits read(int[] tokens, LogitRows rows) {
      requireOpen();
      int first = position;
      ids = Arrays.copyOf(ids, Math.max(ids.length, 2 * (position + tokens.length)));
      System.arraycopy(tokens, 0, ids, position, tokens.length);
      position += tokens.length;
      oldest = Math.max(oldest, position - capacity());
      // What has been overwritten must not be needed, so it is made wrong.
      Arrays.fill(ids, 0, Math.max(0, oldest), -1);
      int from =
          switch (rows) {
            case NONE -> position;
            case LAST -> position - 1;
            case ALL -> first;
          };
      float[] values = new float[(position - from) * VOCABULARY];
      for (int at = from; at < position; at++) {
        logits(ids, at + 1, values, (at - from) * VOCABULARY);
      }
      return new Logits(position - from, VOCABULARY, values);
    }

    private void requireOpen() {
      if (closed) {
        throw new IllegalStateException("the session is closed");
      }
    }

    @Override
    public int position() {
      requireOpen();
      return position;
    }

    @Override
    public Logits ingest(int[] tokens, LogitRows rows) {
      return HashModel.this.ingest(List.of(new Ingestion(this, tokens, rows))).getFirst();
    }

    @Override
    public boolean canRewindTo(int target) {
      requireOpen();
      return target >= 0
          && target <= position
          && (target == position || firstVisible(target) >= oldest);
    }

    @Override
    public void rewindTo(int target) {
      if (!canRewindTo(target)) {
        throw new IllegalArgumentException("cannot rewind from " + position + " to " + target);
      }
      position = target;
    }

    @Override
    public int rewindReach() {
      requireOpen();
      return capacity() - (position - firstVisible(position));
    }

    @Override
    public Session fork(int target) {
      if (!canRewindTo(target)) {
        throw new IllegalArgumentException("cannot fork " + position + " at " + target);
      }
      open.incrementAndGet();
      return new HashSession(ids.clone(), target, oldest);
    }

    @Override
    public void close() {
      if (!closed) {
        closed = true;
        open.decrementAndGet();
      }
    }
  }
}
