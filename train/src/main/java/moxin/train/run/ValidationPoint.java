package moxin.train.run;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The loss on held-out shards: a line of `validation.jsonl`.
///
/// @param step after which it was measured
/// @param phase the phase's name
/// @param loss mean over the targets in nats per token
/// @param bitsPerByte where the tokenizer is known
/// @param targets how many tokens were predicted
/// @param time seconds since 1970
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ValidationPoint(
    long step, String phase, double loss, @Nullable Double bitsPerByte, long targets, double time) {

  /// The values that TensorBoard shows, by tag.
  public Map<String, Double> scalars() {
    Map<String, Double> scalars = new LinkedHashMap<>();
    scalars.put("validation/loss", loss);
    if (bitsPerByte != null) {
      scalars.put("validation/bitsPerByte", bitsPerByte);
    }
    return scalars;
  }
}
