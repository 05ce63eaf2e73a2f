package moxin.train.recipe;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// Texts written by the growing model, to see it improve.
///
/// @param prompts what each text begins with
/// @param everySteps 250 unless given; 0 for phase ends alone
/// @param maxNewTokens 64 unless given
/// @param temperature 0.8 unless given; 0 for greedy
public record Samples(
    List<String> prompts, Long everySteps, Integer maxNewTokens, Double temperature) {

  public Samples(
      @Nullable List<String> prompts,
      @Nullable Long everySteps,
      @Nullable Integer maxNewTokens,
      @Nullable Double temperature) {
    this.prompts = prompts == null ? List.of() : List.copyOf(prompts);
    this.everySteps = everySteps == null ? 250 : everySteps;
    this.maxNewTokens = maxNewTokens == null ? 64 : maxNewTokens;
    this.temperature = temperature == null ? 0.8 : temperature;
    if (this.prompts.isEmpty()) {
      throw new IllegalArgumentException("samples needs prompts");
    }
    Require.atLeast("everySteps", this.everySteps, 0);
    Require.atLeast("maxNewTokens", this.maxNewTokens, 1);
    Require.within("temperature", this.temperature, 0, 100);
  }
}
