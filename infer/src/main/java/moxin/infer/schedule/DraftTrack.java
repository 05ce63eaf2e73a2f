package moxin.infer.schedule;

import moxin.infer.Sampler;
import moxin.infer.SamplingOptions;
import moxin.model.LanguageModel;
import moxin.model.Logits;
import org.jspecify.annotations.Nullable;

/// One text on the draft model: a session that follows the text some tokens behind, and runs ahead
/// of it while it proposes.
final class DraftTrack implements DraftSource {
  private static final double MEMORY = 0.95;
  private static final double PRIOR_WEIGHT = 2;
  private static final double PRIOR = 0.6;

  private final DraftModel model;
  private final TokenList text;
  private final Sampler sampler;
  private final TokenChoice.@Nullable Rejection chance;
  private final LanguageModel.Session session;
  private double right;
  private double tried;
  private int sizeBefore;

  /// @param chance where proposals are drawn at random: what draws them
  DraftTrack(
      DraftModel model,
      TokenList text,
      SamplingOptions options,
      TokenChoice.@Nullable Rejection chance,
      LanguageModel.Session session) {
    this.model = model;
    this.text = text;
    this.sampler =
        new Sampler(
            new SamplingOptions(
                options.temperature(), options.topK(), options.topP(), options.minP(), 0));
    this.chance = chance;
    this.session = session;
  }

  TokenList text() {
    return text;
  }

  /// What the draft model's next token is drawn from: the text's options without what depends on
  /// the text.
  TokenDistribution distribution(Logits logits) {
    return TokenDistribution.of(sampler.distribution(logits, 0), logits.vocabSize());
  }

  TokenChoice.@Nullable Rejection chance() {
    return chance;
  }

  LanguageModel.Session session() {
    return session;
  }

  /// How many tokens of the text the draft model has not read.
  int behind() {
    return text.size() - session.position();
  }

  /// Remembers what the text is while the session runs ahead of it.
  void running() {
    sizeBefore = text.size();
  }

  @Override
  public void added(int id) {}

  @Override
  public int limit() {
    return model.limit(this);
  }

  @Override
  public double acceptance(int depth) {
    return (right + PRIOR_WEIGHT * PRIOR) / (tried + PRIOR_WEIGHT);
  }

  @Override
  public boolean learnsUnasked() {
    return false;
  }

  @Override
  public void settle(int proposed, int accepted) {
    if (proposed == 0) {
      return;
    }
    int rejected = accepted < proposed ? 1 : 0;
    right = MEMORY * right + accepted;
    tried = MEMORY * tried + accepted + rejected;
    session.rewindTo(Math.min(session.position(), sizeBefore + accepted));
  }

  @Override
  public void close() {
    session.close();
  }
}
