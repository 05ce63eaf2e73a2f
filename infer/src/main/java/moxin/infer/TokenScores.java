package moxin.infer;

import java.util.ArrayList;
import java.util.List;
import moxin.model.Logits;
import moxin.text.Tokenizer;

/// Log-probabilities of tokens and their rivals, in float64 from the fp32 logits. Mutable; for one
/// thread.
final class TokenScores {
  private final Tokenizer tokenizer;
  private final int topCount;
  private final int[] top;

  /// @param topCount how many rivals
  TokenScores(Tokenizer tokenizer, int topCount) {
    this.tokenizer = tokenizer;
    this.topCount = topCount;
    this.top = new int[topCount + 1];
  }

  /// What row `row` says about token `id`.
  ScoredToken score(Logits logits, int row, int id) {
    int best = logits.argmax(row);
    double max = logits.at(row, best);
    double sum = 0;
    int found = 0;
    for (int other = 0; other < logits.vocabSize(); other++) {
      float value = logits.at(row, other);
      if (Float.isNaN(value)) {
        continue;
      }
      sum += Math.exp(value - max);
      if (found < topCount || (topCount > 0 && value > logits.at(row, top[found - 1]))) {
        found = insert(logits, row, other, found);
      }
    }
    double normaliser = max + Math.log(sum);
    List<ScoredToken.Candidate> rivals = new ArrayList<>(found);
    for (int i = 0; i < found; i++) {
      rivals.add(candidate(top[i], logits.at(row, top[i]) - normaliser));
    }
    return new ScoredToken(candidate(id, logits.at(row, id) - normaliser), rivals);
  }

  /// Puts `id` behind those that are at least as large, and drops the last if there are too many.
  private int insert(Logits logits, int row, int id, int found) {
    int at = found;
    while (at > 0 && logits.at(row, id) > logits.at(row, top[at - 1])) {
      top[at] = top[at - 1];
      at--;
    }
    top[at] = id;
    return Math.min(topCount, found + 1);
  }

  private ScoredToken.Candidate candidate(int id, double logProbability) {
    return new ScoredToken.Candidate(id, tokenizer.piece(id), tokenizer.bytes(id), logProbability);
  }
}
