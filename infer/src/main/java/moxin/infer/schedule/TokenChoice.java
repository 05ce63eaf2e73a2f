package moxin.infer.schedule;

import java.util.SplittableRandom;
import moxin.infer.Sampler;
import moxin.infer.SamplingOptions;
import moxin.model.Logits;

/// Chooses the next token of one text, with or without a proposal for it. Mutable; for one thread.
sealed interface TokenChoice {

  /// The token at row `row`; the proposal's token `row` is accepted exactly if it is returned.
  ///
  /// @throws IllegalArgumentException if the logits are not finite
  int choose(Logits logits, int row, Draft draft);

  /// Draws the token as if there were no proposal, and so accepts a proposal by agreeing with it: a
  /// proposed `x` is kept with probability `p(x)`, and otherwise replaced by a draw from the rest,
  /// which is what rejection sampling does for a proposal without chance. The text is the one that
  /// the same sampler writes alone, seed for seed, whatever is proposed and when.
  record Agreement(Sampler sampler) implements TokenChoice {
    @Override
    public int choose(Logits logits, int row, Draft draft) {
      return sampler.sample(logits, row);
    }
  }

  /// Rejection sampling (Leviathan, Kalman and Matias 2023, "Fast Inference from Transformers via
  /// Speculative Decoding", algorithm 1): a token drawn from `q` is kept with probability `min(1,
  /// p/q)`, else replaced by a draw from `max(0, p − q)`. The distribution is that of the sampler;
  /// the text of a seed depends on the proposals.
  record Rejection(SamplingOptions options, SplittableRandom random) implements TokenChoice {
    @Override
    public int choose(Logits logits, int row, Draft draft) {
      TokenDistribution wanted = TokenDistribution.of(logits, row, options);
      if (row >= draft.length()) {
        return wanted.draw(random);
      }
      int proposed = draft.ids()[row];
      TokenDistribution drawnFrom = draft.drawnFrom().get(row);
      double ratio = wanted.probability(proposed) / drawnFrom.probability(proposed);
      return random.nextDouble() < ratio ? proposed : wanted.drawBeyond(drawnFrom, random);
    }
  }
}
