package moxin.release;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import moxin.job.BadInputException;
import moxin.job.CodeVersion;
import moxin.job.Manifest;
import moxin.model.ModelConfig;

/// What the cards of a release are written from.
///
/// @param name of the release
/// @param date of the final weights, as in `2026-01-31`
/// @param config the model's shape
/// @param state the final checkpoint's `trainer_state.json`; JSON null where there is none
/// @param results the evaluation's `results.json`; JSON null where there is none
/// @param summary the evaluation's `summary.json`; JSON null where there is none
/// @param corpus the corpus report; JSON null where the run names no corpus
/// @param licences of the documents read
/// @param datasetsHeldBack why the documents are not part of the folder; empty if they are
/// @param initial the checkpoint that training began with; empty for random weights
/// @param report whether the folder has a report
/// @param code the version that made the weights
record ReleaseFacts(
    String name,
    String date,
    ReleaseRecipe recipe,
    ModelConfig config,
    JsonNode state,
    JsonNode results,
    JsonNode summary,
    JsonNode corpus,
    DataLicences licences,
    Optional<String> datasetsHeldBack,
    Optional<Manifest.Entry> initial,
    boolean report,
    CodeVersion code) {

  private static final JsonMapper JSON = JsonMapper.builder().build();

  /// The JSON in `file`, or JSON null if there is none.
  ///
  /// @throws BadInputException if it is no JSON
  static JsonNode json(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      return JsonNodeFactory.instance.nullNode();
    }
    try {
      return JSON.readTree(file.toFile());
    } catch (JsonProcessingException e) {
      throw new BadInputException(file + ": not JSON: " + e.getOriginalMessage(), e);
    }
  }
}
