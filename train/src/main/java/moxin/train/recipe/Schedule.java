package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonInclude;
import org.jspecify.annotations.Nullable;

/// The course of the learning rate over a number of steps: a linear warm-up, then `kind` down to a
/// fraction of the peak, which the last step reaches.
///
/// With s steps of which w warm up, step i, counted from 0, has (i + 1)/w of the peak while i < w.
/// After that p = (i − w + 1)/(s − w) goes from above 0 to 1, and with f the final fraction:
///
/// - constant: 1;
/// - linear: 1 − (1 − f) · p;
/// - cosine: f + (1 − f) · (1 + cos πp)/2;
/// - warmup-stable-decay (Hu et al. 2024, "MiniCPM"): 1, until the last round(decayFraction · s)
///   steps, at most s − w, over which q goes from above 0 to 1: f + (1 − f) · g(q), where g is 1 −
///   q, (1 + cos πq)/2 or 1 − √q by `decayShape`.
///
/// @param kind cosine unless given
/// @param warmupSteps steps until the peak; 0 unless given
/// @param finalFraction of the peak at the end; 0.1 unless given
/// @param decayFraction of the steps, with warmup-stable-decay; 0.1 unless given
/// @param decayShape with warmup-stable-decay; linear unless given
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Schedule(
    ScheduleKind kind,
    Long warmupSteps,
    Double finalFraction,
    @Nullable Double decayFraction,
    @Nullable DecayShape decayShape) {

  public Schedule(
      @Nullable ScheduleKind kind,
      @Nullable Long warmupSteps,
      @Nullable Double finalFraction,
      @Nullable Double decayFraction,
      @Nullable DecayShape decayShape) {
    this.kind = kind == null ? ScheduleKind.COSINE : kind;
    this.warmupSteps = warmupSteps == null ? 0 : warmupSteps;
    this.finalFraction = finalFraction == null ? 0.1 : finalFraction;
    boolean stable = this.kind == ScheduleKind.WARMUP_STABLE_DECAY;
    if (!stable && (decayFraction != null || decayShape != null)) {
      throw new IllegalArgumentException(
          "decayFraction and decayShape belong to kind: warmup-stable-decay");
    }
    this.decayFraction = stable && decayFraction == null ? Double.valueOf(0.1) : decayFraction;
    this.decayShape = stable && decayShape == null ? DecayShape.LINEAR : decayShape;
    Require.atLeast("warmupSteps", this.warmupSteps, 0);
    Require.within("finalFraction", this.finalFraction, 0, 1);
    Require.within("decayFraction", this.decayFraction == null ? 0 : this.decayFraction, 0, 1);
  }

  /// A schedule of `kind` without what belongs to warmup-stable-decay.
  public static Schedule of(ScheduleKind kind, long warmupSteps, double finalFraction) {
    return new Schedule(kind, warmupSteps, finalFraction, null, null);
  }

  /// What holds where a recipe gives none: a cosine down to a tenth.
  public static Schedule defaults() {
    return of(ScheduleKind.COSINE, 0, 0.1);
  }

  /// What `peak` is multiplied by in step `step` of `steps`, counted from 0.
  public double factor(long step, long steps) {
    if (step < warmupSteps) {
      return (step + 1) / (double) warmupSteps;
    }
    double progress = Math.min(1.0, (step - warmupSteps + 1) / (double) (steps - warmupSteps));
    return switch (kind) {
      case CONSTANT -> 1;
      case LINEAR -> down(DecayShape.LINEAR, progress);
      case COSINE -> down(DecayShape.COSINE, progress);
      case WARMUP_STABLE_DECAY -> stableThenDown(step, steps);
    };
  }

  private double stableThenDown(long step, long steps) {
    double fraction = decayFraction == null ? 0 : decayFraction;
    long decaySteps = Math.min(Math.round(fraction * steps), steps - warmupSteps);
    long decayed = step - (steps - decaySteps) + 1;
    if (decayed <= 0 || decayShape == null) {
      return 1;
    }
    return down(decayShape, Math.min(1.0, decayed / (double) decaySteps));
  }

  private double down(DecayShape shape, double progress) {
    return switch (shape) {
      case LINEAR -> 1 - (1 - finalFraction) * progress;
      case COSINE -> finalFraction + (1 - finalFraction) * 0.5 * (1 + Math.cos(Math.PI * progress));
      case ONE_MINUS_SQRT -> 1 - (1 - finalFraction) * Math.sqrt(progress);
    };
  }
}
