package moxin.train.run;

import java.io.IOException;
import java.util.List;
import moxin.model.ModelConfig;
import moxin.model.TensorView;
import moxin.train.recipe.Samples;

/// Writes texts with the weights of a model in training.
@FunctionalInterface
public interface SampleGenerator {

  /// One text per prompt, without the prompt.
  ///
  /// @param weights under their Hugging Face names, valid during the call
  List<String> generate(ModelConfig config, List<TensorView> weights, Samples samples)
      throws IOException;
}
