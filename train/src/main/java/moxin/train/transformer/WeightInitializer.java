package moxin.train.transformer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;
import moxin.model.ModelConfig;
import moxin.model.WeightNames;
import moxin.model.WeightNames.LayerWeight;

/// Fresh weights: normal with the configuration's `initializer_range`, norms 1. They depend on the
/// seed and a weight's name only, so that they are the same on every device.
///
/// @param outputs how the projections that write into the residual stream are scaled
public record WeightInitializer(long seed, OutputScale outputs) {

  /// The standard deviation of `o_proj` and `down_proj`.
  public enum OutputScale {
    /// As all others.
    SAME,
    /// Divided by √(2L), so that the residual stream does not grow with depth (Radford et al.
    /// 2019).
    BY_DEPTH
  }

  /// The values of weight `name`, row by row.
  public float[] weights(ModelConfig config, String name) {
    List<Long> shape = WeightNames.shapes(config).get(name);
    if (shape == null) {
      throw new IllegalArgumentException("no weight " + name);
    }
    long count = shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
    float[] values = new float[Math.toIntExact(count)];
    if (name.endsWith("norm.weight")) {
      Arrays.fill(values, 1);
      return values;
    }
    double deviation = config.initializerRange();
    if (outputs == OutputScale.BY_DEPTH && writesToStream(name)) {
      deviation /= Math.sqrt(2.0 * config.numHiddenLayers());
    }
    SplittableRandom random = new SplittableRandom(seedOf(name));
    for (int i = 0; i < values.length; i += 2) {
      double radius = deviation * StrictMath.sqrt(-2 * StrictMath.log(1 - random.nextDouble()));
      double angle = 2 * Math.PI * random.nextDouble();
      values[i] = (float) (radius * StrictMath.cos(angle));
      if (i + 1 < values.length) {
        values[i + 1] = (float) (radius * StrictMath.sin(angle));
      }
    }
    return values;
  }

  private long seedOf(String name) {
    CRC32C hash = new CRC32C();
    hash.update(name.getBytes(StandardCharsets.UTF_8));
    return seed * 0x9E3779B97F4A7C15L + hash.getValue();
  }

  private static boolean writesToStream(String name) {
    return isLayerWeight(name, LayerWeight.ATTENTION_OUTPUT)
        || isLayerWeight(name, LayerWeight.DOWN);
  }

  private static boolean isLayerWeight(String name, LayerWeight weight) {
    String first = weight.name(0);
    return name.endsWith(first.substring(first.indexOf(".0.") + 2));
  }
}
