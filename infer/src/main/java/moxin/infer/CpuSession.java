package moxin.infer;

import java.util.List;
import moxin.model.LanguageModel;
import moxin.model.LogitRows;
import moxin.model.Logits;
import org.jspecify.annotations.Nullable;

/// A sequence on a [CpuModel]. For one thread at a time.
final class CpuSession implements LanguageModel.Session {
  private final CpuModel model;
  private @Nullable KvCache cache;

  CpuSession(CpuModel model, KvCache cache) {
    this.model = model;
    this.cache = cache;
  }

  CpuModel model() {
    return model;
  }

  KvCache cache() {
    KvCache open = cache;
    if (open == null) {
      throw new IllegalStateException("the session is closed");
    }
    return open;
  }

  @Override
  public int position() {
    return cache().position();
  }

  @Override
  public Logits ingest(int[] tokens, LogitRows rows) {
    return model.ingest(List.of(new LanguageModel.Ingestion(this, tokens, rows))).getFirst();
  }

  @Override
  public boolean canRewindTo(int position) {
    return cache().canRewindTo(position);
  }

  @Override
  public void rewindTo(int position) {
    if (!canRewindTo(position)) {
      throw new IllegalArgumentException(
          "cannot rewind from position " + position() + " to " + position);
    }
    cache().rewindTo(position);
  }

  @Override
  public int rewindReach() {
    return cache().rewindReach();
  }

  @Override
  public LanguageModel.Session fork(int position) {
    if (!canRewindTo(position)) {
      throw new IllegalArgumentException(
          "cannot fork at position " + position + " of " + position());
    }
    return new CpuSession(model, cache().fork(position));
  }

  @Override
  public void close() {
    KvCache open = cache;
    cache = null;
    if (open != null) {
      open.close();
    }
  }
}
