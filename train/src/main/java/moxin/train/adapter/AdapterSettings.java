package moxin.train.adapter;

import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import moxin.model.ModelConfig;

/// The shape of an adapter.
///
/// @param rank r, the inner dimension of its products
/// @param alpha the numerator of its scale
/// @param targets the linear layers it is on, in every block
public record AdapterSettings(int rank, double alpha, Set<AdapterTarget> targets) {
  /// The greatest rank; larger ones are mistakes.
  public static final int GREATEST_RANK = 1 << 14;

  private static final String PREFIX = "base_model.model.";

  public AdapterSettings {
    if (rank < 1 || rank > GREATEST_RANK) {
      throw new IllegalArgumentException(
          "rank must be in [1, " + GREATEST_RANK + "], found " + rank);
    }
    if (!(alpha > 0) || Double.isInfinite(alpha)) {
      throw new IllegalArgumentException("alpha must be positive and finite, found " + alpha);
    }
    if (targets.isEmpty()) {
      throw new IllegalArgumentException("targets must name at least one linear layer");
    }
    targets = Collections.unmodifiableSet(EnumSet.copyOf(targets));
  }

  /// The two factors of an adapter.
  public enum Factor {
    /// `(rank, in)`, random at first.
    A,
    /// `(out, rank)`, zero at first, so that a fresh adapter changes nothing.
    B
  }

  /// s, by which the product of the factors is multiplied.
  public double scale() {
    return alpha / rank;
  }

  /// The name of a factor's tensor in PEFT's files.
  public static String name(AdapterTarget target, int layer, Factor factor) {
    String weight = target.weight().name(layer);
    String module = weight.substring(0, weight.lastIndexOf('.'));
    return PREFIX + module + ".lora_" + factor + ".weight";
  }

  /// Every tensor of an adapter for a model of `config` with its shape, in the order of the forward
  /// pass.
  public Map<String, List<Long>> shapes(ModelConfig config) {
    Map<String, List<Long>> shapes = new LinkedHashMap<>();
    for (int layer = 0; layer < config.numHiddenLayers(); layer++) {
      for (AdapterTarget target : targets) {
        List<Long> weight = target.weight().shape(config);
        long out = weight.getFirst();
        long in = weight.getLast();
        shapes.put(name(target, layer, Factor.A), List.of((long) rank, in));
        shapes.put(name(target, layer, Factor.B), List.of(out, (long) rank));
      }
    }
    return Collections.unmodifiableMap(shapes);
  }

  /// How many numbers an adapter for a model of `config` has.
  public long parameterCount(ModelConfig config) {
    long count = 0;
    for (List<Long> shape : shapes(config).values()) {
      count += shape.getFirst() * shape.getLast();
    }
    return count;
  }
}
