package moxin.train.transformer;

import java.io.IOException;
import moxin.job.Progress;
import moxin.model.Checkpoint;
import moxin.model.DType;
import moxin.model.LanguageModel;
import moxin.model.LanguageModelContract;
import moxin.model.ModelConfig;
import moxin.torch.LibTorch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;

/// The laws of [LanguageModel] on libtorch, whose matrix products may round differently for other
/// numbers of tokens.
class TorchLanguageModelContractTest {

  @BeforeAll
  static void load() throws IOException {
    LibTorch.load(Progress.silent());
  }

  /// As on a CPU.
  @Nested
  class OnVectorKernels extends LanguageModelContract {
    @Override
    protected LanguageModel open(ModelConfig config, Checkpoint weights) {
      return model(config, weights, new VectorKernels());
    }

    @Override
    protected double tolerance() {
      return 2e-5;
    }
  }

  /// As on a GPU.
  @Nested
  class OnAtenKernels extends LanguageModelContract {
    @Override
    protected LanguageModel open(ModelConfig config, Checkpoint weights) {
      return model(config, weights, new AtenKernels());
    }

    @Override
    protected double tolerance() {
      return 2e-5;
    }
  }

  private static LanguageModel model(ModelConfig config, Checkpoint weights, Kernels kernels) {
    return TorchLanguageModel.of(
        config, weights, TorchModelOptions.onCpu(DType.F32), new Execution(kernels, 1, 1, 2));
  }
}
