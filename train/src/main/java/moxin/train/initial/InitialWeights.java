package moxin.train.initial;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import moxin.job.BadInputException;
import moxin.job.Progress;
import moxin.model.Checkpoint;
import moxin.model.DType;
import moxin.model.MemoryCheckpoint;
import moxin.model.ModelConfig;
import moxin.model.ModelConfigFile;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.TensorView;
import moxin.model.WeightNames;
import moxin.model.WeightNames.LayerWeight;
import moxin.train.Learner;
import moxin.train.recipe.Initialisation;
import moxin.train.recipe.InitialisationKind;
import moxin.train.recipe.TrainingRecipe;

/// The first weights of a run that begins with a checkpoint, perhaps with more layers than it has.
public final class InitialWeights {
  private static final List<LayerWeight> OUTPUTS =
      List.of(LayerWeight.ATTENTION_OUTPUT, LayerWeight.DOWN);

  private InitialWeights() {}

  /// `recipe` with the layers spelt out that a deeper model takes from its checkpoint.
  ///
  /// @param model the deeper model; needed where the recipe deepens
  /// @throws BadInputException if checkpoint and model do not fit
  public static TrainingRecipe resolve(TrainingRecipe recipe, Optional<ModelConfig> model)
      throws IOException {
    Initialisation initialisation = recipe.initialisation();
    if (!initialisation.kind().deepens()) {
      return recipe;
    }
    ModelConfig deep =
        model.orElseThrow(
            () -> new BadInputException("a deeper model than the checkpoint's needs a model:"));
    Path checkpoint = Path.of(String.valueOf(initialisation.checkpoint()));
    LayerOrder order = orderOf(initialisation, ModelConfigFile.read(checkpoint), deep);
    return recipe.withInitialisation(initialisation.withLayers(order.toString()));
  }

  /// Loads the checkpoint of `initialisation` into `learner`, weight by weight.
  ///
  /// @throws BadInputException if checkpoint and model do not fit
  public static void load(
      Initialisation initialisation, Path directory, Learner learner, Progress progress)
      throws IOException {
    try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(directory);
        Arena zeros = Arena.ofConfined()) {
      if (!initialisation.kind().deepens()) {
        learner.loadWeights(checkpoint);
        return;
      }
      ModelConfig shallow = ModelConfigFile.read(directory);
      LayerOrder order = orderOf(initialisation, shallow, learner.config());
      progress.note(
          "The model's layers are layers "
              + order
              + " of "
              + directory
              + (initialisation.kind() == InitialisationKind.IDENTITY_BLOCKS
                  ? "; repetitions begin as identity blocks"
                  : ""));
      WeightNames.requireComplete(checkpoint, shallow);
      learner.loadWeights(deepened(checkpoint, initialisation.kind(), order, learner, zeros));
    }
  }

  private static LayerOrder orderOf(
      Initialisation initialisation, ModelConfig shallow, ModelConfig deep) {
    requireSameWidth(String.valueOf(initialisation.checkpoint()), shallow, deep);
    int from = shallow.numHiddenLayers();
    int to = deep.numHiddenLayers();
    boolean identity = initialisation.kind() == InitialisationKind.IDENTITY_BLOCKS;
    String layers = initialisation.layers();
    LayerOrder order;
    if (layers != null) {
      order = LayerOrder.parse(layers, from, to);
    } else if (identity) {
      order = LayerOrder.evenlySpread(from, to);
    } else {
      order = LayerOrder.overlappingHalves(from, to);
    }
    if (identity) {
      order.requireAllInOrder(from);
    }
    return order;
  }

  private static void requireSameWidth(String origin, ModelConfig shallow, ModelConfig deep) {
    boolean same =
        LayerWeight.QUERY.shape(shallow).equals(LayerWeight.QUERY.shape(deep))
            && LayerWeight.KEY.shape(shallow).equals(LayerWeight.KEY.shape(deep))
            && LayerWeight.DOWN.shape(shallow).equals(LayerWeight.DOWN.shape(deep))
            && shallow.vocabSize() == deep.vocabSize()
            && shallow.headDim() == deep.headDim()
            && shallow.tieWordEmbeddings() == deep.tieWordEmbeddings();
    if (!same) {
      throw new BadInputException(
          origin + ": the checkpoint's layers have another shape than the recipe's model");
    }
    if (deep.numHiddenLayers() <= shallow.numHiddenLayers()) {
      throw new BadInputException(
          origin
              + ": the checkpoint has "
              + shallow.numHiddenLayers()
              + " layers, the model only "
              + deep.numHiddenLayers()
              + "; to make it deeper it needs more");
    }
  }

  /// Views of the checkpoint's weights under the names of the deeper model's. All zeros share the
  /// memory of the largest.
  private static Checkpoint deepened(
      Checkpoint shallow, InitialisationKind kind, LayerOrder order, Learner learner, Arena arena) {
    ModelConfig deep = learner.config();
    List<TensorView> tensors = new ArrayList<>();
    for (String name :
        List.of(
            WeightNames.EMBEDDING, WeightNames.FINAL_NORM, WeightNames.outputProjection(deep))) {
      if (tensors.stream().noneMatch(tensor -> tensor.name().equals(name))) {
        tensors.add(shallow.tensor(name));
      }
    }
    MemorySegment zeros = MemorySegment.NULL;
    for (int layer = 0; layer < deep.numHiddenLayers(); layer++) {
      boolean identity = kind == InitialisationKind.IDENTITY_BLOCKS && order.repeats(layer);
      if (identity && zeros.byteSize() == 0) {
        zeros = arena.allocate(largestOutput(deep), Float.BYTES);
      }
      for (LayerWeight weight : LayerWeight.values()) {
        TensorView source = shallow.tensor(weight.name(order.sources().get(layer)));
        boolean zero = identity && OUTPUTS.contains(weight);
        tensors.add(
            new TensorView(
                weight.name(layer),
                zero ? DType.F32 : source.dtype(),
                source.shape(),
                zero ? zeros.asSlice(0, DType.F32.byteSize(source.elements())) : source.data()));
      }
    }
    return MemoryCheckpoint.of(
        shallow.origin() + ", layers " + order, tensors, shallow.rotaryOrder());
  }

  private static long largestOutput(ModelConfig config) {
    long largest = 0;
    for (LayerWeight weight : OUTPUTS) {
      long elements = weight.shape(config).stream().reduce(1L, Math::multiplyExact);
      largest = Math.max(largest, DType.F32.byteSize(elements));
    }
    return largest;
  }
}
