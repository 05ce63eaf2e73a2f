package moxin.train.recipe;

import moxin.train.AdamW;
import moxin.train.MasterWeights;
import moxin.train.OptimizerStates;
import org.jspecify.annotations.Nullable;

/// AdamW's settings; the report's unless given: β 0.9 and 0.95, ε 1e-8, weight decay 0.1 on
/// projections alone, gradients clipped to norm 1.
///
/// @param states the type of the moments between steps: fp32, bf16 or int8; fp32 unless given
/// @param masterWeights whether a fp32 copy of the weights is updated where computing is in bf16:
///   fp32, or none to round the bf16 weights stochastically; fp32 unless given
public record Optimizer(
    Double beta1,
    Double beta2,
    Double epsilon,
    Double weightDecay,
    Boolean decayEmbeddings,
    Boolean decayNorms,
    Double gradientClip,
    OptimizerStates states,
    MasterWeights masterWeights) {

  public Optimizer(
      @Nullable Double beta1,
      @Nullable Double beta2,
      @Nullable Double epsilon,
      @Nullable Double weightDecay,
      @Nullable Boolean decayEmbeddings,
      @Nullable Boolean decayNorms,
      @Nullable Double gradientClip,
      @Nullable OptimizerStates states,
      @Nullable MasterWeights masterWeights) {
    this.beta1 = beta1 == null ? 0.9 : beta1;
    this.beta2 = beta2 == null ? 0.95 : beta2;
    this.epsilon = epsilon == null ? 1e-8 : epsilon;
    this.weightDecay = weightDecay == null ? 0.1 : weightDecay;
    this.decayEmbeddings = decayEmbeddings != null && decayEmbeddings;
    this.decayNorms = decayNorms != null && decayNorms;
    this.gradientClip = gradientClip == null ? 1.0 : gradientClip;
    this.states = states == null ? OptimizerStates.FP32 : states;
    this.masterWeights = masterWeights == null ? MasterWeights.FP32 : masterWeights;
    var _ = adamW();
  }

  static Optimizer defaults() {
    return new Optimizer(null, null, null, null, null, null, null, null, null);
  }

  /// The optimizer itself.
  public AdamW adamW() {
    return new AdamW(beta1, beta2, epsilon, weightDecay, decayEmbeddings, decayNorms, gradientClip);
  }
}
