package moxin.train.run;

import java.util.OptionalDouble;
import moxin.model.ModelConfig;
import moxin.train.estimate.ModelFlops;
import org.jspecify.annotations.Nullable;

/// Model FLOPs utilisation, of the operations that [ModelFlops#perToken] counts.
///
/// @param peakFlops floating-point operations per second of the machine, where known
record Utilisation(ModelConfig config, OptionalDouble peakFlops) {

  /// The share of the peak; null where the peak is not known.
  @Nullable Double of(double tokensPerSecond, int contextLength) {
    return peakFlops.isEmpty()
        ? null
        : (Double)
            (ModelFlops.perToken(config, contextLength).total()
                * tokensPerSecond
                / peakFlops.getAsDouble());
  }
}
