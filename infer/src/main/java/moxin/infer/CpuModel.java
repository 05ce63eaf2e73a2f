package moxin.infer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import moxin.model.Checkpoint;
import moxin.model.LanguageModel;
import moxin.model.LogitRows;
import moxin.model.Logits;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.model.SafetensorsCheckpoint;

/// A language model on the CPU. Logits are the same to the last bit for any number of threads, any
/// kernels, any batch and any cutting of the tokens into calls.
///
/// Weights are copied when loaded: bf16 is kept, other types become fp32. Thread-safe; calls that
/// run at once share the threads.
public final class CpuModel implements LanguageModel {
  private static final int CHUNK = 256;

  private final ModelConfig config;
  private final KernelSelection selection;
  private final Workers workers;
  private final Forward forward;
  private volatile boolean closed;

  private CpuModel(ModelConfig config, Checkpoint checkpoint, EngineOptions options) {
    this.config = config;
    this.selection = KernelSelection.of(options.kernels());
    this.workers = new Workers(options.threads());
    boolean loaded = false;
    try {
      CpuWeights weights = CpuWeights.load(checkpoint, config, workers);
      this.forward = new Forward(config, weights, selection.kernels(), workers);
      loaded = true;
    } finally {
      if (!loaded) {
        workers.close();
      }
    }
    selection
        .fallbackReason()
        .ifPresent(
            reason ->
                System.getLogger(CpuModel.class.getName())
                    .log(System.Logger.Level.WARNING, reason));
  }

  /// Loads `config.json` and the safetensors of a Hugging Face directory.
  ///
  /// @throws moxin.model.CheckpointFormatException if they are not what they should be
  public static CpuModel load(Path modelDirectory, EngineOptions options) throws IOException {
    ModelConfig config = ModelConfigFile.read(modelDirectory);
    try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(modelDirectory)) {
      return of(config, checkpoint, options);
    }
  }

  /// A model of `config` with the weights of `checkpoint`, which are copied.
  ///
  /// @throws moxin.model.CheckpointFormatException if a weight is missing or has another shape
  public static CpuModel of(ModelConfig config, Checkpoint checkpoint, EngineOptions options) {
    return new CpuModel(config, checkpoint, options);
  }

  @Override
  public ModelConfig config() {
    return config;
  }

  /// The name of the kernels in use, such as `vector-512`.
  public String kernels() {
    return selection.kernels().name();
  }

  /// Why the kernels are not the fastest, where they are not and it was not asked for.
  public Optional<String> kernelFallback() {
    return selection.fallbackReason();
  }

  @Override
  public Session newSession() {
    requireOpen();
    return new CpuSession(this, new KvCache(config, CHUNK));
  }

  @Override
  public List<Logits> ingest(List<Ingestion> ingestions) {
    return ingest(ingestions, (_, _, _) -> {});
  }

  List<Logits> ingest(List<Ingestion> ingestions, Forward.Observer observer) {
    requireOpen();
    List<Pending> pending = check(ingestions);
    int next = 0;
    while (next < pending.size()) {
      List<Forward.Item> items = new ArrayList<>();
      List<Share> shares = new ArrayList<>();
      while (next < pending.size() && items.size() < CHUNK) {
        Pending one = pending.get(next);
        int count = Math.min(CHUNK - items.size(), one.tokens.length - one.done);
        shares.add(new Share(one, one.done, items.size(), count));
        for (int i = 0; i < count; i++) {
          int position = one.cache.position() + i;
          items.add(new Forward.Item(one.cache, position, one.tokens[one.done + i]));
        }
        one.done += count;
        if (one.done == one.tokens.length) {
          next++;
        }
      }
      float[] normed = forward.run(items, observer);
      shares.forEach(share -> share.pending.cache.advance(share.count));
      shares.forEach(share -> keepRows(share, normed));
    }
    return logits(pending);
  }

  /// Copies the hidden states whose logits are wanted.
  private void keepRows(Share share, float[] normed) {
    int stride = forward.hiddenStride();
    Pending pending = share.pending;
    for (int i = 0; i < share.count; i++) {
      int row = pending.row(share.from + i);
      if (row >= 0) {
        System.arraycopy(normed, (share.at + i) * stride, pending.wanted, row * stride, stride);
      }
    }
  }

  private List<Logits> logits(List<Pending> pending) {
    int stride = forward.hiddenStride();
    int vocabulary = config.vocabSize();
    int rows = pending.stream().mapToInt(one -> one.rows).sum();
    if (rows > 1 && pending.stream().allMatch(one -> one.rows == 1)) {
      float[] all = new float[rows * stride];
      for (int n = 0; n < rows; n++) {
        System.arraycopy(pending.get(n).wanted, 0, all, n * stride, stride);
      }
      float[] values = forward.logits(all, rows);
      List<Logits> logits = new ArrayList<>(rows);
      for (int n = 0; n < rows; n++) {
        int from = n * vocabulary;
        logits.add(
            new Logits(
                1, vocabulary, java.util.Arrays.copyOfRange(values, from, from + vocabulary)));
      }
      return logits;
    }
    return pending.stream()
        .map(
            one ->
                one.rows == 0
                    ? Logits.none(vocabulary)
                    : new Logits(one.rows, vocabulary, forward.logits(one.wanted, one.rows)))
        .toList();
  }

  private List<Pending> check(List<Ingestion> ingestions) {
    Set<Session> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    List<Pending> pending = new ArrayList<>(ingestions.size());
    for (Ingestion ingestion : ingestions) {
      if (!(ingestion.session() instanceof CpuSession session) || session.model() != this) {
        throw new IllegalArgumentException("a session of another model");
      }
      if (!seen.add(session)) {
        throw new IllegalArgumentException("a session stands twice in one call");
      }
      int[] tokens = ingestion.tokens();
      if (tokens.length == 0) {
        throw new IllegalArgumentException("no tokens to ingest");
      }
      for (int token : tokens) {
        if (token < 0 || token >= config.vocabSize()) {
          throw new IllegalArgumentException(
              "token " + token + " is outside the vocabulary of " + config.vocabSize());
        }
      }
      KvCache cache = session.cache();
      long end = (long) cache.position() + tokens.length;
      long limit =
          config.slidingWindow().isPresent() ? Integer.MAX_VALUE : config.maxPositionEmbeddings();
      if (end > limit) {
        throw new IllegalArgumentException(
            end + " tokens do not fit in a context of " + limit + " positions");
      }
      pending.add(new Pending(cache, tokens.clone(), ingestion.rows()));
    }
    for (Pending one : pending) {
      one.reserve(forward.hiddenStride(), Forward.pad(config.vocabSize()));
    }
    return pending;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the model is closed");
    }
  }

  @Override
  public void close() {
    closed = true;
    workers.close();
  }

  /// What is still to be done of an ingestion.
  private static final class Pending {
    private final KvCache cache;
    private final int[] tokens;
    private final int rows;
    private float[] wanted = new float[0];
    private int done;

    Pending(KvCache cache, int[] tokens, LogitRows rows) {
      this.cache = cache;
      this.tokens = tokens;
      this.rows =
          switch (rows) {
            case NONE -> 0;
            case LAST -> 1;
            case ALL -> tokens.length;
          };
    }

    void reserve(int stride, int vocabulary) {
      if ((long) rows * Math.max(stride, vocabulary) > Integer.MAX_VALUE - 8) {
        throw new IllegalArgumentException(
            "the logits of " + rows + " positions at once are too many");
      }
      wanted = new float[rows * stride];
    }

    /// Where the logits of token `index` go, negative if nowhere.
    int row(int index) {
      return index - (tokens.length - rows);
    }
  }

  /// The part of a pass that belongs to one ingestion: `count` tokens from its token `from`, at
  /// `at` in the pass.
  private record Share(Pending pending, int from, int at, int count) {}
}
