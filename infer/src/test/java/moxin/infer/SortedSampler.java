package moxin.infer;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import moxin.model.Logits;

/// Sampling as its documentation reads, by sorting everything: the probabilities that [Sampler]
/// must have.
final class SortedSampler {

  private SortedSampler() {}

  record Candidate(int id, double logit, double probability) {}

  static List<Candidate> distribution(Logits logits, SamplingOptions options) {
    List<Candidate> all = new ArrayList<>();
    for (int id = 0; id < logits.vocabSize(); id++) {
      double logit = (float) (logits.at(0, id) + options.logitBias().getOrDefault(id, 0.0));
      if (logit > Double.NEGATIVE_INFINITY) {
        all.add(new Candidate(id, logit, 0));
      }
    }
    all.sort(Comparator.comparingDouble(Candidate::logit).reversed());
    double max = all.getFirst().logit();
    List<Candidate> kept =
        normalised(
            all.stream()
                .map(c -> with(c, Math.exp((c.logit() - max) / options.temperature())))
                .toList());
    if (options.topK() > 0) {
      kept = normalised(kept.subList(0, Math.min(kept.size(), options.topK())));
    }
    kept = normalised(nucleus(kept, options.topP()));
    double least = options.minP() * kept.getFirst().probability();
    kept = normalised(kept.stream().filter(c -> c.probability() >= least * (1 - 1e-12)).toList());
    return normalised(typical(kept, options.typicalP()));
  }

  private static List<Candidate> nucleus(List<Candidate> ranked, double mass) {
    if (mass == 1) {
      return ranked;
    }
    double sum = 0;
    int count = 0;
    while (count < ranked.size() && sum < mass) {
      sum += ranked.get(count++).probability();
    }
    return ranked.subList(0, count);
  }

  private static List<Candidate> typical(List<Candidate> ranked, double mass) {
    if (mass == 1) {
      return ranked;
    }
    double entropy = 0;
    for (Candidate c : ranked) {
      entropy -= c.probability() * Math.log(c.probability());
    }
    double h = entropy;
    List<Candidate> nearest = new ArrayList<>(ranked);
    nearest.sort(Comparator.comparingDouble(c -> surprise(c, h)));
    double farthest = surprise(nucleus(nearest, mass).getLast(), h);
    return ranked.stream().filter(c -> surprise(c, h) <= farthest).toList();
  }

  private static double surprise(Candidate candidate, double entropy) {
    return Math.abs(-Math.log(candidate.probability()) - entropy);
  }

  private static List<Candidate> normalised(List<Candidate> candidates) {
    double sum = candidates.stream().mapToDouble(Candidate::probability).sum();
    return candidates.stream().map(c -> with(c, c.probability() / sum)).toList();
  }

  private static Candidate with(Candidate candidate, double probability) {
    return new Candidate(candidate.id(), candidate.logit(), probability);
  }
}
