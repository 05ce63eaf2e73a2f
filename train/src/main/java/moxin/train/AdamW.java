package moxin.train;

/// AdamW with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2).
///
/// @param beta1 decay of the first moment
/// @param beta2 decay of the second moment
/// @param epsilon added to the root of the second moment
/// @param weightDecay multiplies the learning rate; applied to projection matrices
/// @param decayEmbeddings whether embedding and output projection decay too
/// @param decayNorms whether the norms' weights decay too
/// @param gradientClip largest gradient norm; infinity for no clipping
public record AdamW(
    double beta1,
    double beta2,
    double epsilon,
    double weightDecay,
    boolean decayEmbeddings,
    boolean decayNorms,
    double gradientClip) {

  public AdamW {
    requireFraction("beta1", beta1);
    requireFraction("beta2", beta2);
    if (!(epsilon > 0) || !(weightDecay >= 0) || !(gradientClip > 0)) {
      throw new IllegalArgumentException(
          "AdamW needs epsilon > 0, weightDecay >= 0 and gradientClip > 0, found "
              + epsilon
              + ", "
              + weightDecay
              + ", "
              + gradientClip);
    }
  }

  private static void requireFraction(String name, double value) {
    if (!(value >= 0 && value < 1)) {
      throw new IllegalArgumentException(name + " must be in [0, 1), found " + value);
    }
  }
}
