package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonInclude;
import moxin.train.ZeroStage;
import org.jspecify.annotations.Nullable;

/// How several processes share a run. Says nothing about how many there are, and changes no
/// numbers.
///
/// @param zero what is divided among them: nothing (0), optimizer state (1), gradients too (2),
///   weights too (3); 1 unless given
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Parallelism(Integer zero) {

  public Parallelism(@Nullable Integer zero) {
    this.zero = zero == null ? 1 : zero;
    Require.within("zero", this.zero, 0, 3);
  }

  /// The stage by name.
  public ZeroStage stage() {
    return ZeroStage.of(zero);
  }
}
