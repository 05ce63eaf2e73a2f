package moxin.infer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import moxin.model.LanguageModel.Ingestion;
import moxin.model.LanguageModel.Session;
import moxin.model.LogitRows;
import moxin.model.Logits;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.model.Precision;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.TensorView;
import moxin.testing.SharedData;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The engine against float64 reference numbers.
final class CpuModelParityTest {

  @ParameterizedTest
  @EnumSource(KernelChoice.class)
  void hiddenStatesAndLogitsAgreeWithFloat64(KernelChoice kernels) throws Exception {
    Path directory = SharedData.require("reference/stories260K-hf");
    Path reference = SharedData.require("reference/forward_64.safetensors");
    try (CpuModel model = CpuModel.load(directory, new EngineOptions(2, kernels));
        SafetensorsCheckpoint expected = SafetensorsCheckpoint.open(reference);
        Session session = model.newSession()) {
      List<Ingestion> all =
          List.of(new Ingestion(session, ids(expected.tensor("ids")), LogitRows.ALL));
      Logits logits =
          model
              .ingest(
                  all,
                  List.of(
                      (layer, hidden, _) ->
                          assertClose(hidden, Precision.widen(expected.tensor("hidden." + layer)))))
              .getFirst();
      assertClose(logits.values(), Precision.widen(expected.tensor("logits")));
    }
  }

  @ParameterizedTest
  @EnumSource(KernelChoice.class)
  void windowedLogitsAgreeWithFloat64(KernelChoice kernels) throws Exception {
    Path directory = SharedData.require("reference/stories260K-hf");
    Path reference = SharedData.require("reference/forward_64.safetensors");
    ModelConfig config = windowed(ModelConfigFile.read(directory), 8);
    try (SafetensorsCheckpoint weights = SafetensorsCheckpoint.open(directory);
        SafetensorsCheckpoint expected = SafetensorsCheckpoint.open(reference);
        CpuModel model = CpuModel.of(config, weights, new EngineOptions(1, kernels));
        Session session = model.newSession()) {
      Logits logits = session.ingest(ids(expected.tensor("ids")), LogitRows.ALL);
      assertClose(logits.values(), Precision.widen(expected.tensor("logits_window8")));
    }
  }

  static ModelConfig windowed(ModelConfig c, int window) {
    return new ModelConfig(
        c.modelType(),
        c.vocabSize(),
        c.hiddenSize(),
        c.intermediateSize(),
        c.numHiddenLayers(),
        c.numAttentionHeads(),
        c.numKeyValueHeads(),
        c.headDim(),
        c.rmsNormEps(),
        c.ropeTheta(),
        OptionalInt.of(window),
        c.maxPositionEmbeddings(),
        c.tieWordEmbeddings(),
        c.bosTokenId(),
        c.eosTokenIds(),
        c.initializerRange());
  }

  private static int[] ids(TensorView view) {
    return view.data().toArray(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN));
  }

  private static void assertClose(float[] actual, float[] expected) {
    float worst = 0;
    for (int i = 0; i < expected.length; i++) {
      worst = Math.max(worst, Math.abs(actual[i] - expected[i]));
    }
    assertThat(worst).isCloseTo(0f, within(1e-4f));
  }
}
