package moxin.train.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/// Which rows of a phase went into which step of the run. A run that returned to a checkpoint did
/// not read again what it had read: from there on its steps are so many rows further on. What was
/// read in vain belongs to no step.
final class StepRows {

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final Plan.Planned planned;
  private final List<Stretch> stretches = new ArrayList<>();

  /// Steps from `firstStep` on, the first of which begins with row `firstRow` of the phase.
  private record Stretch(long firstStep, long firstRow) {}

  private StepRows(Plan.Planned planned) {
    this.planned = planned;
    stretches.add(new Stretch(planned.firstStep() + 1, 0));
  }

  /// The rows of a phase of the run in `run`.
  static StepRows read(RunDirectory run, Plan.Planned planned) throws IOException {
    StepRows rows = new StepRows(planned);
    Path incidents = run.incidents();
    if (Files.isRegularFile(incidents)) {
      // Decoded as a whole: a line torn inside a character is no reason to fail.
      new String(Files.readAllBytes(incidents), StandardCharsets.UTF_8)
          .lines()
          .forEach(rows::addReturn);
    }
    return rows;
  }

  private void addReturn(String line) {
    JsonNode incident;
    try {
      incident = JSON.readTree(line);
    } catch (JsonProcessingException e) {
      return; // torn by a kill in the middle of a write
    }
    if (!incident.path("phase").asText().equals(planned.phase().name())
        || !incident.path("action").asText().equals("rollback")) {
      return;
    }
    long next = incident.path("rolledBackTo").asLong() + 1;
    long row = incident.path("firstRow").asLong() + incident.path("rows").asLong();
    stretches.removeIf(stretch -> stretch.firstStep() >= next);
    stretches.add(new Stretch(Math.max(next, planned.firstStep() + 1), row));
  }

  /// The first row of step `step`, which must be one of the phase.
  long firstRow(long step) {
    Stretch last = stretches.getFirst();
    for (Stretch stretch : stretches) {
      last = stretch.firstStep() <= step ? stretch : last;
    }
    return last.firstRow() + (step - last.firstStep()) * planned.rowsPerStep();
  }

  /// The step that row `row` went into; empty for one that was read in vain.
  OptionalLong stepOf(long row) {
    for (int i = 0; i < stretches.size(); i++) {
      Stretch stretch = stretches.get(i);
      boolean last = i + 1 == stretches.size();
      long end =
          last ? planned.firstStep() + planned.steps() + 1 : stretches.get(i + 1).firstStep();
      long step =
          stretch.firstStep() + Math.floorDiv(row - stretch.firstRow(), planned.rowsPerStep());
      if (row >= stretch.firstRow() && step < end) {
        return OptionalLong.of(step);
      }
    }
    return OptionalLong.empty();
  }

  /// The row after the last of the phase.
  long end() {
    return firstRow(planned.firstStep() + planned.steps()) + planned.rowsPerStep();
  }
}
