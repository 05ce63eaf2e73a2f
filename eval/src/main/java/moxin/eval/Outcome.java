package moxin.eval;

import java.util.List;
import java.util.Map;

/// What came of a question.
public record Outcome(
    Question question, List<Response> responses, Map<Metric, Observation> observations) {

  public Outcome {
    responses = List.copyOf(responses);
    observations = Map.copyOf(observations);
  }
}
