package moxin.infer.schedule;

/// What proposes the continuation of one text. Mutable; for one thread.
sealed interface DraftSource extends AutoCloseable permits LookupDrafts, DraftTrack {

  /// Tells that a token was added to the text.
  void added(int id);

  /// How many tokens it could propose now.
  int limit();

  /// How likely the proposal's token `depth` is right where those before it are.
  double acceptance(int depth);

  /// Whether it learns how good its proposals are without making any.
  boolean learnsUnasked();

  /// Tells how many of the tokens proposed last were accepted.
  void settle(int proposed, int accepted);

  @Override
  void close();
}
