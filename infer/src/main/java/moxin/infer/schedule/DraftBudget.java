package moxin.infer.schedule;

/// Decides how many proposed tokens of one text are worth trying, so that trying never costs the
/// text more than a small share of its time.
///
/// A proposed token costs what it adds to the step, and saves a whole step's share if it is right.
/// The length is the one with the largest expected gain; but proposals are only made from what
/// earlier ones have saved, plus an allowance of two percent of the time of plain decoding.
final class DraftBudget {
  private static final double ALLOWANCE = 0.02;

  private double credit;
  private double spend;
  private double value;

  /// The conditions of a step.
  ///
  /// @param cost of steps
  /// @param base tokens that are in the step anyway
  /// @param tokenNanos the time of a token in plain decoding
  /// @param draftNanos the time it takes to propose a token
  record Terms(StepCost cost, int base, double tokenNanos, double draftNanos) {}

  /// The number of tokens to propose, at most `limit`.
  int choose(DraftSource source, int limit, Terms terms) {
    value = terms.tokenNanos();
    spend = 0;
    double before = terms.cost().nanos(terms.base());
    double chance = 1;
    double gain = 0;
    double best = 0;
    int count = 0;
    for (int i = 0; i < limit; i++) {
      chance *= source.acceptance(i);
      double costs = costs(terms, before, i + 1);
      gain += chance * value;
      if (costs > credit || chance < 0.05) {
        break;
      }
      if (gain - costs > best) {
        best = gain - costs;
        count = i + 1;
        spend = costs;
      }
    }
    if (count == 0 && limit > 0 && !source.learnsUnasked()) {
      double costs = costs(terms, before, 1);
      count = 2 * costs <= credit ? 1 : 0;
      spend = count * costs;
    }
    return count;
  }

  private static double costs(Terms terms, double before, int count) {
    return terms.cost().nanos(terms.base() + count) - before + count * terms.draftNanos();
  }

  /// Accounts for a step that added `1 + accepted` tokens to the text.
  void settle(int accepted) {
    credit += ALLOWANCE * value + accepted * value - spend;
    spend = 0;
  }
}
