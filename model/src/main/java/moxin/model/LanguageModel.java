package moxin.model;

import java.util.List;

/// A language model ready to run. Immutable weights, mutable sessions.
///
/// Sessions of one model may be advanced together in one call, which is what batching, evaluation
/// and speculation stand on. A model is thread-safe; a [Session] belongs to one thread at a time.
public interface LanguageModel extends AutoCloseable {

  /// The configuration of the loaded weights.
  ModelConfig config();

  /// A session at position 0 with an empty cache. The caller closes it.
  Session newSession();

  /// Advances several sessions in one pass over the weights.
  ///
  /// The result of each session is what it would be if it were advanced alone.
  ///
  /// @param ingestions distinct sessions of this model with their new tokens
  /// @return one entry per ingestion, in order
  /// @throws IllegalArgumentException if there are no tokens or one is outside the vocabulary, a
  ///   session is not of this model or stands twice in the list, or a model without sliding window
  ///   would go beyond its `maxPositionEmbeddings`; no session has advanced then
  List<Logits> ingest(List<Ingestion> ingestions);

  /// Releases the weights. Sessions must be closed first.
  @Override
  void close();

  /// New tokens for a session.
  ///
  /// @param tokens at least one id
  /// @param rows which positions' logits are wanted
  record Ingestion(Session session, int[] tokens, LogitRows rows) {}

  /// One sequence being read or written.
  interface Session extends AutoCloseable {

    /// The number of tokens ingested so far; the next token's position.
    int position();

    /// Ingests `tokens` and returns the wanted logits.
    Logits ingest(int[] tokens, LogitRows rows);

    /// Whether [#rewindTo] can go back to `position`: with a rolling cache, only while the keys
    /// that tokens after `position` may see have not been overwritten.
    boolean canRewindTo(int position);

    /// Forgets every token from `position` on.
    ///
    /// @throws IllegalArgumentException unless [#canRewindTo] holds
    void rewindTo(int position);

    /// The most tokens that may be ingested next so that [#rewindTo] can forget them all again;
    /// `Integer.MAX_VALUE`, or what is left of the context, where nothing is ever overwritten.
    int rewindReach();

    /// A session of its own that has the first `position` tokens of this one, whose logits are
    /// those of a session that was given these tokens alone. Neither notices what the other does or
    /// that it is closed. The caller closes it.
    ///
    /// @throws IllegalArgumentException unless [#canRewindTo] holds
    Session fork(int position);

    @Override
    void close();
  }
}
