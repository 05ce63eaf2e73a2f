package moxin.train.run;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Something that a run met and answered: a line of `incidents.jsonl`. The lines stand in the order
/// of what happened; after a return to a checkpoint, steps come again.
///
/// @param step at which it happened, from 1
/// @param phase the phase's name
/// @param kind `nonFinite`, `spike` or `divergence`
/// @param finding in words
/// @param loss of the step; null if not finite
/// @param gradNorm of the step; null if not finite
/// @param action `skip`, `rollback`, `stop` or `warn`
/// @param rolledBackTo the step of the checkpoint that the run returned to; the rows of the steps
///   after it, up to this one, are not read again
/// @param firstRow rows of the phase that were read before those of the step
/// @param rows of the step, all micro-batches together
/// @param documents whose tokens are in these rows
/// @param time seconds since 1970
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Incident(
    long step,
    String phase,
    String kind,
    String finding,
    @Nullable Double loss,
    @Nullable Double gradNorm,
    String action,
    @Nullable Long rolledBackTo,
    long firstRow,
    long rows,
    List<String> documents,
    double time) {

  public Incident {
    documents = List.copyOf(documents);
  }
}
