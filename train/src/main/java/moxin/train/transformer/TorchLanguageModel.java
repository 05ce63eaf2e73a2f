package moxin.train.transformer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import moxin.job.Progress;
import moxin.model.Checkpoint;
import moxin.model.LanguageModel;
import moxin.model.Logits;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.model.SafetensorsCheckpoint;
import moxin.torch.Aten;
import moxin.torch.LibTorch;
import moxin.torch.Scope;
import moxin.torch.Tensor;

/// A [LanguageModel] on libtorch, on any of its devices.
///
/// Logits of a position depend in their last bits on which other tokens share a pass, since
/// libtorch chooses its matrix products by their sizes. Passes run one after another on a thread of
/// the model's own, whoever calls.
public final class TorchLanguageModel implements LanguageModel {
  private static final int CHUNK = 256;

  private final ModelConfig config;
  private final TorchModelOptions options;
  private final ModelWeights weights;
  private final CachedTransformer transformer;
  private final SliceThreads thread;
  private volatile boolean closed;

  private TorchLanguageModel(
      ModelConfig config, ModelWeights weights, TorchModelOptions options, Execution execution) {
    this.config = config;
    this.options = options;
    this.weights = weights;
    this.transformer =
        new CachedTransformer(
            config, execution.kernels(), weights, options.computeType(), options.device());
    this.thread = new SliceThreads(1, options.processors());
  }

  /// Loads `config.json` and the safetensors of a Hugging Face directory.
  ///
  /// @throws moxin.model.CheckpointFormatException if they are not what they should be
  /// @throws moxin.torch.LibTorchUnavailableException if libtorch cannot be used here
  public static TorchLanguageModel load(
      Path modelDirectory, TorchModelOptions options, Progress progress) throws IOException {
    ModelConfig config = ModelConfigFile.read(modelDirectory);
    try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(modelDirectory)) {
      return of(config, checkpoint, options, progress);
    }
  }

  /// A model of `config` with the weights of `checkpoint`, which are copied.
  ///
  /// @throws moxin.model.CheckpointFormatException if a weight is missing or has another shape
  /// @throws moxin.torch.LibTorchUnavailableException if libtorch cannot be used here
  public static TorchLanguageModel of(
      ModelConfig config, Checkpoint checkpoint, TorchModelOptions options, Progress progress)
      throws IOException {
    LibTorch.load(progress);
    return of(config, checkpoint, options, Execution.on(options.device(), options.processors()));
  }

  static TorchLanguageModel of(
      ModelConfig config, Checkpoint checkpoint, TorchModelOptions options, Execution execution) {
    ModelWeights weights =
        ModelWeights.load(config, checkpoint, options.computeType(), options.device());
    return new TorchLanguageModel(config, weights, options, execution);
  }

  @Override
  public ModelConfig config() {
    return config;
  }

  @Override
  public Session newSession() {
    requireOpen();
    return new TorchSession(
        this, new KvCache(config, CHUNK, options.computeType(), options.device()));
  }

  /// A session with a copy of the first `position` tokens of `cache`.
  Session fork(KvCache cache, int position) {
    requireOpen();
    List<KvCache> copy = new ArrayList<>(1);
    thread.run(1, (_, _) -> copy.add(cache.fork(position)));
    return new TorchSession(this, copy.getFirst());
  }

  @Override
  public List<Logits> ingest(List<Ingestion> ingestions) {
    return ingest(ingestions, (_, _) -> {});
  }

  List<Logits> ingest(List<Ingestion> ingestions, CachedTransformer.Observer observer) {
    requireOpen();
    List<PendingTokens> pending = check(ingestions);
    thread.run(
        1,
        (_, _) -> {
          int next = 0;
          while (next < pending.size()) {
            next = pass(pending, next, observer);
          }
        });
    return pending.stream().map(PendingTokens::logits).toList();
  }

  /// A token of a pass whose logits are wanted.
  private record Wanted(PendingTokens pending, int row, int at) {}

  /// Runs as many tokens as one pass takes, from ingestion `next` on, and returns the first
  /// ingestion that is not done.
  private int pass(List<PendingTokens> pending, int next, CachedTransformer.Observer observer) {
    try (Scope _ = Scope.open()) {
      int room = CHUNK;
      List<PassShare> shares = new ArrayList<>();
      List<Wanted> wanted = new ArrayList<>();
      int[] ids = new int[CHUNK];
      int[] positions = new int[CHUNK];
      while (next < pending.size() && room > 0) {
        PendingTokens one = pending.get(next);
        int count = Math.min(room, one.remaining());
        int at = CHUNK - room;
        shares.add(new PassShare(one.cache(), at, one.cache().prepare(count)));
        for (int i = at; i < at + count; i++) {
          ids[i] = one.take();
          positions[i] = one.cache().position() + i - at;
          if (one.row() >= 0) {
            wanted.add(new Wanted(one, one.row(), i));
          }
        }
        room -= count;
        next += one.remaining() == 0 ? 1 : 0;
      }
      int tokens = CHUNK - room;
      Tensor normed =
          transformer.run(
              Arrays.copyOf(ids, tokens), Arrays.copyOf(positions, tokens), shares, observer);
      shares.forEach(share -> share.cache().advance(share.visible().count()));
      setLogits(normed, wanted);
      return next;
    }
  }

  private void setLogits(Tensor normed, List<Wanted> wanted) {
    if (wanted.isEmpty()) {
      return;
    }
    long[] rows = wanted.stream().mapToLong(Wanted::at).toArray();
    Tensor chosen = Aten.embedding(normed, Tensor.of(rows, options.device(), rows.length));
    float[] values = transformer.logits(chosen).toFloats();
    for (int i = 0; i < rows.length; i++) {
      wanted.get(i).pending().set(wanted.get(i).row(), values, i);
    }
  }

  private List<PendingTokens> check(List<Ingestion> ingestions) {
    Set<Session> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    List<PendingTokens> pending = new ArrayList<>(ingestions.size());
    for (Ingestion ingestion : ingestions) {
      if (!(ingestion.session() instanceof TorchSession session) || session.model() != this) {
        throw new IllegalArgumentException("a session of another model");
      }
      if (!seen.add(session)) {
        throw new IllegalArgumentException("a session stands twice in one call");
      }
      requireTokens(ingestion.tokens(), session.position());
      pending.add(
          new PendingTokens(
              session.cache(), ingestion.tokens(), ingestion.rows(), config.vocabSize()));
    }
    return pending;
  }

  private void requireTokens(int[] tokens, int position) {
    if (tokens.length == 0) {
      throw new IllegalArgumentException("no tokens to ingest");
    }
    for (int token : tokens) {
      if (token < 0 || token >= config.vocabSize()) {
        throw new IllegalArgumentException(
            "token " + token + " is outside the vocabulary of " + config.vocabSize());
      }
    }
    long end = (long) position + tokens.length;
    long limit =
        config.slidingWindow().isPresent() ? Integer.MAX_VALUE : config.maxPositionEmbeddings();
    if (end > limit) {
      throw new IllegalArgumentException(
          end + " tokens do not fit in a context of " + limit + " positions");
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the model is closed");
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      thread.close();
      weights.close();
    }
  }
}
