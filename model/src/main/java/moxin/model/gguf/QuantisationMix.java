package moxin.model.gguf;

import java.util.List;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.WeightNames;
import moxin.model.WeightNames.LayerWeight;

/// Which type each tensor of a quantised model has, by the rules of llama.cpp's quantiser: most
/// matrices have the type of the mix, those that suffer most have a better one, vectors stay in
/// fp32, and what no block fits falls back to a type with smaller blocks.
public enum QuantisationMix {
  F32(DType.F32, 0),
  F16(DType.F16, 1),
  BF16(DType.BF16, 32),
  Q8_0(DType.Q8_0, 7),
  Q4_0(DType.Q4_0, 2),
  Q4_K_M(DType.Q4_K, 15),
  Q5_K_M(DType.Q5_K, 17),
  Q6_K(DType.Q6_K, 18);

  private static final int LAYERS_OF_70B = 80;

  private final DType type;
  private final int fileType;

  QuantisationMix(DType type, int fileType) {
    this.type = type;
    this.fileType = fileType;
  }

  /// The type of most matrices.
  public DType type() {
    return type;
  }

  /// llama.cpp's number of this mix, `general.file_type`.
  int fileType() {
    return fileType;
  }

  /// The mix of single floating-point type `type`.
  ///
  /// @throws IllegalArgumentException if there is none
  public static QuantisationMix ofFloatingPoint(DType type) {
    for (QuantisationMix mix : values()) {
      if (mix.type == type && type.isFloatingPoint()) {
        return mix;
      }
    }
    throw new IllegalArgumentException("no mix is of " + type);
  }

  /// The type of weight `name` of [WeightNames].
  ///
  /// @param importance whether the importance of inputs is known
  public DType typeOf(String name, ModelConfig config, Importance importance) {
    List<Long> shape = WeightNames.shapes(config).get(name);
    if (shape == null) {
      throw new IllegalArgumentException(name + " is no weight of this model");
    }
    return typeOf(name, shape, config, importance);
  }

  /// Whether the importance of inputs is known.
  public enum Importance {
    KNOWN,
    UNKNOWN
  }

  DType typeOf(String name, List<Long> shape, ModelConfig config, Importance importance) {
    if (shape.size() < 2) {
      return DType.F32;
    }
    if (!type.isQuantised()) {
      return type;
    }
    long columns = shape.getLast();
    if (name.equals(WeightNames.outputProjection(config))) {
      boolean coarse = columns % type.blockElements() != 0 || type == DType.Q8_0;
      return fitting(coarse ? DType.Q8_0 : DType.Q6_K, columns);
    }
    for (int layer = 0; layer < config.numHiddenLayers(); layer++) {
      if (name.equals(LayerWeight.VALUE.name(layer))) {
        return fitting(ofValue(layer, config), columns);
      }
      if (name.equals(LayerWeight.DOWN.name(layer))) {
        return fitting(ofDown(layer, config, importance), columns);
      }
    }
    return fitting(type, columns);
  }

  private DType ofValue(int layer, ModelConfig config) {
    if (isMedium() && deservesMore(layer, config.numHiddenLayers())) {
      return DType.Q6_K;
    }
    boolean is70b =
        config.numHiddenLayers() == LAYERS_OF_70B
            && config.numAttentionHeads() != config.numKeyValueHeads();
    return is70b && type == DType.Q4_K ? DType.Q5_K : type;
  }

  private DType ofDown(int layer, ModelConfig config, Importance importance) {
    int layers = config.numHiddenLayers();
    if (isMedium() && deservesMore(layer, layers)) {
      return DType.Q6_K;
    }
    boolean guarded = type == DType.Q4_0 && importance == Importance.KNOWN && layer < layers / 8;
    return guarded ? DType.Q4_1 : type;
  }

  private boolean isMedium() {
    return this == Q4_K_M || this == Q5_K_M;
  }

  /// The first and the last eighth of the layers, and every third between.
  private static boolean deservesMore(int layer, int layers) {
    return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
  }

  private static DType fitting(DType type, long columns) {
    if (columns % type.blockElements() == 0) {
      return type;
    }
    DType smaller =
        switch (type) {
          case Q4_K -> DType.Q5_0;
          case Q5_K -> DType.Q5_1;
          case Q6_K -> DType.Q8_0;
          case F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 ->
              type;
        };
    return columns % smaller.blockElements() == 0 ? smaller : DType.F16;
  }
}
