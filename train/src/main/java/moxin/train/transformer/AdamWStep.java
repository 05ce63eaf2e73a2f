package moxin.train.transformer;

import moxin.train.AdamW;

/// The numbers of one AdamW update.
///
/// @param number of the step, counted from 1
/// @param correction1 1 − β₁ᵗ
/// @param correction2 1 − β₂ᵗ
/// @param gradientScale multiplies the gradient first, to clip it
/// @param seed of the bits by which narrow numbers are rounded
record AdamWStep(
    long number,
    double learningRate,
    double beta1,
    double beta2,
    double epsilon,
    double correction1,
    double correction2,
    double gradientScale,
    long seed) {

  /// Step number `step`, counted from 1, for a gradient of `norm`.
  static AdamWStep of(AdamW adamW, double learningRate, long step, double norm, long seed) {
    double clip = adamW.gradientClip();
    return new AdamWStep(
        step,
        learningRate,
        adamW.beta1(),
        adamW.beta2(),
        adamW.epsilon(),
        1 - Math.pow(adamW.beta1(), (double) step),
        1 - Math.pow(adamW.beta2(), (double) step),
        norm > clip ? clip / norm : 1,
        seed);
  }
}
