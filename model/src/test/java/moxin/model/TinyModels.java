package moxin.model;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;

/// Random models of odd sizes, small enough to run thousands of tokens in a test.
public final class TinyModels {

  /// The vocabulary of [#config].
  public static final int VOCAB_SIZE = 37;

  /// The longest context of [#config].
  public static final int POSITIONS = 800;

  private TinyModels() {}

  /// Two blocks with three query heads to each key head, and no size a power of two.
  public static ModelConfig config(OptionalInt window) {
    return new ModelConfig(
        "mistral",
        VOCAB_SIZE,
        30,
        45,
        2,
        6,
        2,
        10,
        1e-5,
        10000,
        window,
        POSITIONS,
        false,
        OptionalInt.of(1),
        List.of(2),
        0.02);
  }

  /// Normal weights of standard deviation 0.3, large enough that attention attends.
  public static Checkpoint weights(ModelConfig config, DType dtype, Random random) {
    List<TensorView> views = new ArrayList<>();
    for (TensorSpec spec : WeightNames.specs(config, dtype)) {
      float[] values = new float[Math.toIntExact(spec.byteSize() / dtype.byteSize())];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) random.nextGaussian() * 0.3f;
      }
      MemorySegment data = MemorySegment.ofArray(new byte[(int) spec.byteSize()]);
      Precision.narrow(values, dtype, data);
      views.add(new TensorView(spec.name(), dtype, spec.shape(), data));
    }
    return MemoryCheckpoint.of("random weights", views);
  }

  /// `count` ids of the vocabulary.
  public static int[] ids(Random random, int count) {
    return random.ints(count, 0, VOCAB_SIZE).toArray();
  }
}
