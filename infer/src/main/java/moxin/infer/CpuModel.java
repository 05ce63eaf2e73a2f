package moxin.infer;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import moxin.infer.kernel.InputFormat;
import moxin.infer.kernel.WeightFormat;
import moxin.model.Checkpoint;
import moxin.model.DType;
import moxin.model.LanguageModel;
import moxin.model.LogitRows;
import moxin.model.Logits;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.WeightNames.LayerWeight;

/// A language model on the CPU. With given kernels, logits are the same to the last bit for any
/// number of threads, any batch and any cutting of the tokens into calls.
///
/// Weights are copied when loaded, rearranged for the kernels. Thread-safe; calls run one after the
/// other.
public final class CpuModel implements LanguageModel {
  /// Tokens of a pass.
  static final int CHUNK = 256;

  /// Weights of a model in bf16 up to which fp32 activations cost no time worth the name.
  private static final long SMALL = 100_000_000;

  private final ModelConfig config;
  private final KernelSelection selection;
  private final KvType kvType;
  private final Workers workers;
  private final CpuWeights weights;
  private final Forward forward;
  private volatile boolean closed;

  private CpuModel(ModelConfig config, Checkpoint checkpoint, EngineOptions options) {
    this.config = config;
    this.selection = selection(config, checkpoint, options.kernels());
    this.workers = new Workers(options.threads());
    boolean loaded = false;
    KvType expected = options.kvType().orElse(KvType.F16);
    try (WarmUp _ = WarmUp.start(selection.blocks(), config, expected)) {
      this.weights = CpuWeights.load(checkpoint, config, selection.matrices(), workers);
      loaded = true;
    } finally {
      if (!loaded) {
        workers.close();
      }
    }
    this.forward = new Forward(config, weights, selection.matrices(), selection.blocks(), workers);
    this.kvType = options.kvType().orElseGet(weights::cacheType);
    selection
        .fallbackReason()
        .ifPresent(
            reason ->
                System.getLogger(CpuModel.class.getName())
                    .log(System.Logger.Level.WARNING, reason));
  }

  /// The kernels for a model. Where machine code multiplies bf16 weights with bf16 activations,
  /// whose rounding tips close calls, [KernelChoice#AUTO] gives a small model in bf16 the kernels
  /// that keep activations in fp32.
  private static KernelSelection selection(
      ModelConfig config, Checkpoint checkpoint, KernelChoice asked) {
    KernelSelection selection = KernelSelection.of(asked);
    boolean keepsActivations =
        asked == KernelChoice.AUTO
            && config.parameterCount() <= SMALL
            && checkpoint.tensor(LayerWeight.QUERY.name(0)).dtype() == DType.BF16
            && selection.matrices().inputFormat(WeightFormat.BF16) == InputFormat.BF16;
    return keepsActivations ? KernelSelection.of(KernelChoice.VECTOR) : selection;
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
    return selection.matrices().name();
  }

  /// How keys and values are cached.
  public KvType kvType() {
    return kvType;
  }

  /// Bytes of the packed matrices, which every pass reads.
  public long weightBytes() {
    return weights.byteSize();
  }

  /// Why the kernels are not the fastest, where they are not and it was not asked for.
  public Optional<String> kernelFallback() {
    return selection.fallbackReason();
  }

  @Override
  public Session newSession() {
    requireOpen();
    return new CpuSession(this, new KvCache(config, kvType, CHUNK));
  }

  @Override
  public List<Logits> ingest(List<Ingestion> ingestions) {
    return ingest(ingestions, List.of());
  }

  synchronized List<Logits> ingest(List<Ingestion> ingestions, List<Forward.Observer> observers) {
    requireOpen();
    List<Pending> pending = check(ingestions);
    int next = 0;
    while (next < pending.size()) {
      List<Share> shares = new ArrayList<>();
      List<Pending> owners = new ArrayList<>();
      int rows = 0;
      while (next < pending.size() && rows < CHUNK) {
        Pending one = pending.get(next);
        int count = Math.min(CHUNK - rows, one.tokens.length - one.done);
        shares.add(new Share(one.cache, one.cache.position(), rows, one.tokens, one.done, count));
        owners.add(one);
        rows += count;
        one.done += count;
        if (one.done == one.tokens.length) {
          next++;
        }
      }
      MemorySegment normed = forward.run(shares, observers);
      for (int i = 0; i < shares.size(); i++) {
        shares.get(i).cache().advance(shares.get(i).count());
        keepRows(shares.get(i), owners.get(i), normed);
      }
    }
    return logits(pending);
  }

  /// Copies the hidden states whose logits are wanted.
  private void keepRows(Share share, Pending pending, MemorySegment normed) {
    int stride = forward.hiddenStride();
    for (int i = 0; i < share.count(); i++) {
      int row = pending.row(share.from() + i);
      if (row >= 0) {
        long from = (share.row() + (long) i) * stride * Float.BYTES;
        MemorySegment.copy(normed, PassBuffers.FLOAT, from, pending.wanted, row * stride, stride);
      }
    }
  }

  private List<Logits> logits(List<Pending> pending) {
    int stride = forward.hiddenStride();
    int vocabulary = config.vocabSize();
    int rows = pending.stream().mapToInt(one -> one.rows).sum();
    float[] wanted = new float[Math.multiplyExact(rows, stride)];
    int at = 0;
    for (Pending one : pending) {
      System.arraycopy(one.wanted, 0, wanted, at * stride, one.rows * stride);
      at += one.rows;
    }
    float[] values = new float[Math.multiplyExact(rows, vocabulary)];
    for (int from = 0; from < rows; from += CHUNK) {
      int count = Math.min(CHUNK, rows - from);
      forward.logits(wanted, from * stride, count, values, from * vocabulary);
    }
    if (pending.size() == 1) {
      return List.of(new Logits(rows, vocabulary, values));
    }
    List<Logits> logits = new ArrayList<>();
    int start = 0;
    for (Pending one : pending) {
      int end = start + one.rows * vocabulary;
      logits.add(new Logits(one.rows, vocabulary, Arrays.copyOfRange(values, start, end)));
      start = end;
    }
    return logits;
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
      one.reserve(forward.hiddenStride(), config.vocabSize());
    }
    return pending;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the model is closed");
    }
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      workers.close();
      forward.close();
      weights.close();
    }
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
}
