package moxin.infer.schedule;

import java.util.SplittableRandom;
import moxin.infer.Sampler;
import moxin.model.Logits;

/// Chooses the next token of one text, with or without a proposal for it. Mutable; for one thread.
sealed interface TokenChoice {

  /// The token at row `row`, or [Sampler#NONE]; the proposal's token `row` is accepted exactly if
  /// it is returned.
  ///
  /// @param allowed as [Sampler#sample(Logits, int, long[])] takes it
  /// @throws IllegalArgumentException if the logits are not finite
  int choose(Sampler sampler, Logits logits, int row, long[] allowed, Draft draft);

  /// Draws the token as if there were no proposal, and so accepts a proposal by agreeing with it: a
  /// proposed `x` is kept with probability `p(x)`, and otherwise replaced by a draw from the rest,
  /// which is what rejection sampling does for a proposal without chance. The text is the one that
  /// the same sampler writes alone, seed for seed, whatever is proposed and when.
  record Agreement() implements TokenChoice {
    @Override
    public int choose(Sampler sampler, Logits logits, int row, long[] allowed, Draft draft) {
      return sampler.sample(logits, row, allowed);
    }
  }

  /// Rejection sampling (Leviathan, Kalman and Matias 2023, "Fast Inference from Transformers via
  /// Speculative Decoding", algorithm 1): a token drawn from `q` is kept with probability `min(1,
  /// p/q)`, else replaced by a draw from `max(0, p − q)`. The distribution is that of the sampler;
  /// the text of a seed depends on the proposals.
  record Rejection(SplittableRandom random) implements TokenChoice {
    @Override
    public int choose(Sampler sampler, Logits logits, int row, long[] allowed, Draft draft) {
      Sampler.Distribution distribution = sampler.distribution(logits, row, allowed);
      if (distribution.ids().length == 0) {
        return Sampler.NONE;
      }
      TokenDistribution wanted = TokenDistribution.of(distribution, logits.vocabSize());
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
