package moxin.eval;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.OptionalInt;

/// Something a model is measured on: documents, the requests made of them, and the metrics.
public interface Task {

  /// The name in result files, such as `heldout`.
  String name();

  /// Grows when figures stop being comparable.
  double version();

  /// What the task is made of, for the `configs` of result files: output type, files, their hashes.
  ObjectNode config();

  /// The metrics that every question observes, in the order of reports.
  List<Metric> metrics();

  /// The questions to ask. The same files and arguments give the same questions.
  ///
  /// @param shots how many solved examples stand before each question, where the task has such
  /// @param limit the most questions wanted
  /// @throws TaskDataException if the task's files are not what they should be
  Questions questions(int shots, OptionalInt limit);

  /// Questions chosen from those there are.
  ///
  /// @param available how many there are without a limit
  record Questions(List<Question> chosen, int available) {
    public Questions {
      chosen = List.copyOf(chosen);
    }
  }
}
