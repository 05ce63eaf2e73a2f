package moxin.train.run;

import java.util.OptionalDouble;
import moxin.model.ModelConfig;
import org.jspecify.annotations.Nullable;

/// Model FLOPs utilisation as in PaLM, appendix B: 6 per weight and 12·L·H·D·T for attention.
///
/// @param peakFlops floating-point operations per second of the machine, where known
record Utilisation(ModelConfig config, OptionalDouble peakFlops) {

  /// The share of the peak; null where the peak is not known.
  @Nullable Double of(double tokensPerSecond, int contextLength) {
    if (peakFlops.isEmpty()) {
      return null;
    }
    double attention =
        12.0
            * config.numHiddenLayers()
            * config.numAttentionHeads()
            * config.headDim()
            * contextLength;
    double perToken = 6.0 * config.parameterCount() + attention;
    return perToken * tokensPerSecond / peakFlops.getAsDouble();
  }
}
