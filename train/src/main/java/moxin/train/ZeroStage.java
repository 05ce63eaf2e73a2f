package moxin.train;

/// What several processes divide among themselves instead of each holding all of it (Rajbhandari et
/// al. 2020, ZeRO). The numbers that a run computes do not depend on it.
public enum ZeroStage {
  /// Nothing: plain data parallelism.
  NONE,
  /// The optimizer's state with the fp32 weights.
  OPTIMIZER,
  /// Gradients too.
  GRADIENTS,
  /// The weights to compute with too.
  WEIGHTS;

  /// Stage 0 to 3.
  public static ZeroStage of(int number) {
    return values()[number];
  }

  /// 0 to 3.
  public int number() {
    return switch (this) {
      case NONE -> 0;
      case OPTIMIZER -> 1;
      case GRADIENTS -> 2;
      case WEIGHTS -> 3;
    };
  }
}
