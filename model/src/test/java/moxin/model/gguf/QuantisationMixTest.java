package moxin.model.gguf;

import static moxin.model.gguf.QuantisationMix.Importance.KNOWN;
import static moxin.model.gguf.QuantisationMix.Importance.UNKNOWN;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.WeightNames;
import moxin.model.WeightNames.LayerWeight;
import org.junit.jupiter.api.Test;

/// The types are those that llama.cpp's `llama-quantize` gives.
final class QuantisationMixTest {

  @Test
  void theMediumMixesGiveHalfOfTwoMatricesMore() {
    ModelConfig config = ModelConfig.moxin7b();
    // Of 36 layers the first and last four, and every third between: what use_more_bits says.
    List<Integer> more = List.of(0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 31, 32, 33, 34, 35);
    for (QuantisationMix mix : List.of(QuantisationMix.Q4_K_M, QuantisationMix.Q5_K_M)) {
      for (LayerWeight weight : List.of(LayerWeight.VALUE, LayerWeight.DOWN)) {
        assertThat(layers(config, i -> type(mix, weight.name(i), config) == DType.Q6_K))
            .isEqualTo(more);
        assertThat(layers(config, i -> type(mix, weight.name(i), config) == mix.type()))
            .hasSize(36 - more.size());
      }
      assertThat(type(mix, LayerWeight.QUERY.name(0), config)).isEqualTo(mix.type());
      assertThat(type(mix, WeightNames.EMBEDDING, config)).isEqualTo(mix.type());
      assertThat(type(mix, WeightNames.LM_HEAD, config)).isEqualTo(DType.Q6_K);
      assertThat(type(mix, LayerWeight.ATTENTION_NORM.name(0), config)).isEqualTo(DType.F32);
    }
  }

  @Test
  void theOutputProjectionIsQ6KUnlessAllIsQ8() {
    ModelConfig untied = ModelConfig.moxin7b();
    ModelConfig tied = ModelConfig.quickstart();
    assertThat(type(QuantisationMix.Q4_0, WeightNames.LM_HEAD, untied)).isEqualTo(DType.Q6_K);
    assertThat(type(QuantisationMix.Q4_0, WeightNames.EMBEDDING, untied)).isEqualTo(DType.Q4_0);
    assertThat(type(QuantisationMix.Q4_0, WeightNames.EMBEDDING, tied)).isEqualTo(DType.Q6_K);
    assertThat(type(QuantisationMix.Q8_0, WeightNames.LM_HEAD, untied)).isEqualTo(DType.Q8_0);
  }

  @Test
  void rowsThatNoBlockFitsFallBack() {
    ModelConfig config = ModelConfig.quickstart();
    String down = LayerWeight.DOWN.name(1);
    assertThat(type(QuantisationMix.Q4_K_M, down, config)).isEqualTo(DType.Q5_0);
    assertThat(type(QuantisationMix.Q5_K_M, down, config)).isEqualTo(DType.Q5_1);
    assertThat(type(QuantisationMix.Q6_K, down, config)).isEqualTo(DType.Q8_0);
    assertThat(type(QuantisationMix.Q4_K_M, LayerWeight.DOWN.name(5), config))
        .isEqualTo(DType.Q8_0);
    assertThat(type(QuantisationMix.Q4_0, down, config)).isEqualTo(DType.Q4_0);
    ModelConfig odd = ModelConversionTest.config(36, 8);
    assertThat(type(QuantisationMix.Q8_0, down.replace("1", "0"), odd)).isEqualTo(DType.F16);
    ModelConfig small = ModelConversionTest.config(96, 8);
    assertThat(type(QuantisationMix.Q4_0, WeightNames.EMBEDDING, small)).isEqualTo(DType.Q8_0);
    assertThat(type(QuantisationMix.Q4_K_M, WeightNames.EMBEDDING, small)).isEqualTo(DType.Q8_0);
  }

  @Test
  void importanceGuardsTheFirstDownProjectionsOfQ4() {
    ModelConfig config = ModelConfig.moxin7b();
    assertThat(
            layers(
                config,
                i ->
                    QuantisationMix.Q4_0.typeOf(LayerWeight.DOWN.name(i), config, KNOWN)
                        == DType.Q4_1))
        .containsExactly(0, 1, 2, 3);
  }

  private static DType type(QuantisationMix mix, String name, ModelConfig config) {
    return mix.typeOf(name, config, UNKNOWN);
  }

  private static List<Integer> layers(ModelConfig config, IntPredicate which) {
    return IntStream.range(0, config.numHiddenLayers()).filter(which).boxed().toList();
  }
}
