package moxin.infer.schedule;

/// Prompt lookup: proposes what followed where the last tokens of the text stood before, in the
/// prompt or in the answer (Saxena 2023, "Prompt Lookup Decoding").
///
/// It follows a place for as long as the text goes on as there. How often the next token was
/// foretold is counted for each length of agreement, whether or not it was proposed, so that it
/// costs nothing to find out that a text does not repeat.
final class LookupDrafts implements DraftSource {
  private static final int LONGEST = 24;
  private static final double MEMORY = 0.95;
  private static final double PRIOR_WEIGHT = 2;

  private final TokenList text;
  private final NgramIndex[] indexes;
  private final double[] right = new double[LONGEST + 1];
  private final double[] tried = new double[LONGEST + 1];
  private int next;
  private int agreeing;

  LookupDrafts(TokenList text) {
    this.text = text;
    this.indexes =
        new NgramIndex[] {
          new NgramIndex(text, 6), new NgramIndex(text, 3), new NgramIndex(text, 2)
        };
    search();
  }

  @Override
  public void added(int id) {
    if (next > 0) {
      boolean foretold = text.get(next) == id;
      right[agreeing] = MEMORY * right[agreeing] + (foretold ? 1 : 0);
      tried[agreeing] = MEMORY * tried[agreeing] + 1;
      next = foretold ? next + 1 : 0;
      agreeing = Math.min(LONGEST, agreeing + 1);
    }
    if (next == 0) {
      search();
    }
  }

  private void search() {
    for (NgramIndex index : indexes) {
      next = index.find();
      if (next > 0) {
        agreeing = NgramIndex.matching(text, next, LONGEST);
        return;
      }
    }
  }

  @Override
  public int limit() {
    return next > 0 ? Integer.MAX_VALUE : 0;
  }

  @Override
  public double acceptance(int depth) {
    int length = Math.min(LONGEST, agreeing + depth);
    double prior = length / (length + 2.0);
    return (right[length] + PRIOR_WEIGHT * prior) / (tried[length] + PRIOR_WEIGHT);
  }

  /// The next `count` tokens if the text goes on as there. Where that place reaches the end of the
  /// text, the text repeats itself and the proposal goes on in its own beginning.
  Draft propose(int count) {
    int[] ids = new int[count];
    for (int i = 0; i < count; i++) {
      int at = next + i;
      ids[i] = at < text.size() ? text.get(at) : ids[at - text.size()];
    }
    return Draft.of(ids);
  }

  @Override
  public boolean learnsUnasked() {
    return true;
  }

  @Override
  public void settle(int proposed, int accepted) {}

  @Override
  public void close() {}
}
