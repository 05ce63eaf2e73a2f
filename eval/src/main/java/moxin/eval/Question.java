package moxin.eval;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;

/// One document of a task, ready to be asked.
///
/// @param id its number in the task's file, from 0
/// @param subset the part of the task it belongs to, such as its source; empty where a task has no
///   parts
/// @param document what samples files show of it
/// @param target the right answer as text
/// @param requests what the model is asked
/// @param judge makes observations of the responses
public record Question(
    int id, String subset, JsonNode document, String target, List<Request> requests, Judge judge) {

  public Question {
    requests = List.copyOf(requests);
  }

  /// Turns the responses to a question's requests, in order, into observations.
  @FunctionalInterface
  public interface Judge {
    Map<Metric, Observation> observe(List<Response> responses);
  }
}
