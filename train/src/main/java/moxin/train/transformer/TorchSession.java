package moxin.train.transformer;

import java.util.List;
import moxin.model.LanguageModel;
import moxin.model.LogitRows;
import moxin.model.Logits;

/// A sequence on a [TorchLanguageModel]. For one thread at a time.
final class TorchSession implements LanguageModel.Session {
  private final TorchLanguageModel model;
  private final KvCache cache;

  TorchSession(TorchLanguageModel model, KvCache cache) {
    this.model = model;
    this.cache = cache;
  }

  TorchLanguageModel model() {
    return model;
  }

  KvCache cache() {
    return cache;
  }

  @Override
  public int position() {
    return cache.position();
  }

  @Override
  public Logits ingest(int[] tokens, LogitRows rows) {
    return model.ingest(List.of(new LanguageModel.Ingestion(this, tokens, rows))).getFirst();
  }

  @Override
  public boolean canRewindTo(int position) {
    return cache.canRewindTo(position);
  }

  @Override
  public void rewindTo(int position) {
    cache.rewindTo(position);
  }

  @Override
  public int rewindReach() {
    return cache.rewindReach();
  }

  @Override
  public LanguageModel.Session fork(int position) {
    return model.fork(cache, position);
  }

  @Override
  public void close() {
    cache.close();
  }
}
