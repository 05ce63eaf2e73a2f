package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One stretch of training. Its length is given once: in optimizer steps, in tokens, or in epochs.
///
/// @param name shown in metrics and reports
/// @param kind pretrain unless given
/// @param steps optimizer steps
/// @param tokens positions learned from; rounded up to whole steps
/// @param epochs passes over the sources; rounded up to whole steps
/// @param contextLength T, positions of a row
/// @param batchSize B, rows of a micro-batch
/// @param accumulationSteps micro-batches of a step; 1 unless given
/// @param learningRate the peak; the section's unless given
/// @param schedule over this phase alone; unless given, the section's goes on over all phases
/// @param sources where rows come from
/// @param packing documents unless given
/// @param rowStride with contiguous packing, how far apart windows of T + 1 ids begin; T unless
///   given, T + 1 for windows that share no id
/// @param shuffle whether documents (or windows) are permuted, anew in every epoch; true unless
///   given
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Phase(
    String name,
    PhaseKind kind,
    @Nullable Long steps,
    @Nullable Long tokens,
    @Nullable Double epochs,
    Integer contextLength,
    Integer batchSize,
    Integer accumulationSteps,
    @Nullable Double learningRate,
    @Nullable Schedule schedule,
    List<Source> sources,
    Packing packing,
    @Nullable Integer rowStride,
    Boolean shuffle) {

  public Phase(
      @Nullable String name,
      @Nullable PhaseKind kind,
      @Nullable Long steps,
      @Nullable Long tokens,
      @Nullable Double epochs,
      @Nullable Integer contextLength,
      @Nullable Integer batchSize,
      @Nullable Integer accumulationSteps,
      @Nullable Double learningRate,
      @Nullable Schedule schedule,
      @Nullable List<Source> sources,
      @Nullable Packing packing,
      @Nullable Integer rowStride,
      @Nullable Boolean shuffle) {
    this.name = name == null ? "pretrain" : name;
    this.kind = kind == null ? PhaseKind.PRETRAIN : kind;
    this.steps = steps;
    this.tokens = tokens;
    this.epochs = epochs;
    this.contextLength = given("contextLength", contextLength);
    this.batchSize = given("batchSize", batchSize);
    this.accumulationSteps = accumulationSteps == null ? 1 : accumulationSteps;
    this.learningRate = learningRate;
    this.schedule = schedule;
    this.sources = sources == null ? List.of() : List.copyOf(sources);
    this.packing = packing == null ? Packing.DOCUMENTS : packing;
    this.rowStride = rowStride;
    this.shuffle = shuffle == null || shuffle;
    validate();
  }

  private void validate() {
    int lengths = (steps == null ? 0 : 1) + (tokens == null ? 0 : 1) + (epochs == null ? 0 : 1);
    if (lengths != 1) {
      throw new IllegalArgumentException(
          "phase " + name + " needs exactly one of steps, tokens and epochs");
    }
    Require.atLeast("steps", steps == null ? 1 : steps, 1);
    Require.atLeast("tokens", tokens == null ? 1 : tokens, 1);
    Require.positive("epochs", epochs == null ? 1 : epochs);
    Require.atLeast("contextLength", contextLength, 1);
    Require.atLeast("batchSize", batchSize, 1);
    Require.atLeast("accumulationSteps", accumulationSteps, 1);
    Require.positive("learningRate", learningRate == null ? 1 : learningRate);
    Require.atLeast("rowStride", rowStride == null ? 1 : rowStride, 1);
    if (sources.isEmpty()) {
      throw new IllegalArgumentException("phase " + name + " needs sources");
    }
    long weighted = sources.stream().filter(source -> source.weight() != null).count();
    if (weighted != 0 && weighted != sources.size()) {
      throw new IllegalArgumentException(
          "phase " + name + ": either every source has a weight or none");
    }
    if (rowStride != null && packing != Packing.CONTIGUOUS) {
      throw new IllegalArgumentException(
          "phase " + name + ": rowStride belongs to packing: contiguous");
    }
  }

  private static int given(String key, @Nullable Integer value) {
    if (value == null) {
      throw new IllegalArgumentException("a phase needs " + key);
    }
    return value;
  }

  /// How far apart contiguous windows begin.
  public int windowStride() {
    return rowStride == null ? contextLength : rowStride;
  }

  /// Positions of one optimizer step, B · T · micro-batches.
  public long tokensPerStep() {
    return (long) batchSize * contextLength * accumulationSteps;
  }
}
