package moxin.model;

import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/// The section `model` of a recipe: a preset, single sizes that differ from it, or a whole shape.
///
/// Without a preset the sizes `hiddenSize`, `intermediateSize`, `numHiddenLayers` and
/// `numAttentionHeads` are required; everything else has a default. The vocabulary and its ends of
/// sequence come from the tokenizer where the recipe does not name them.
///
/// @param preset `moxin-7b` or `quickstart`
/// @param slidingWindow W, or 0 for full attention
public record ModelRecipe(
    @Nullable String preset,
    @Nullable Integer vocabSize,
    @Nullable Integer hiddenSize,
    @Nullable Integer intermediateSize,
    @Nullable Integer numHiddenLayers,
    @Nullable Integer numAttentionHeads,
    @Nullable Integer numKeyValueHeads,
    @Nullable Integer headDim,
    @Nullable Double rmsNormEps,
    @Nullable Double ropeTheta,
    @Nullable Integer slidingWindow,
    @Nullable Integer maxPositionEmbeddings,
    @Nullable Boolean tieWordEmbeddings,
    @Nullable Integer bosTokenId,
    @Nullable Integer eosTokenId,
    @Nullable Double initializerRange) {

  private static final String MOXIN_7B = "moxin-7b";
  private static final String QUICKSTART = "quickstart";

  public ModelRecipe {
    if (preset != null && !preset.equals(MOXIN_7B) && !preset.equals(QUICKSTART)) {
      throw new IllegalArgumentException("preset must be moxin-7b or quickstart, found " + preset);
    }
    if (preset == null) {
      require("hiddenSize", hiddenSize);
      require("intermediateSize", intermediateSize);
      require("numHiddenLayers", numHiddenLayers);
      require("numAttentionHeads", numAttentionHeads);
    }
  }

  /// A recipe that is a preset and nothing else.
  public static ModelRecipe ofPreset(String preset) {
    return new ModelRecipe(
        preset, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
        null);
  }

  /// The recipe that says everything `config` says.
  public static ModelRecipe of(ModelConfig config) {
    return new ModelRecipe(
        null,
        config.vocabSize(),
        config.hiddenSize(),
        config.intermediateSize(),
        config.numHiddenLayers(),
        config.numAttentionHeads(),
        config.numKeyValueHeads(),
        config.headDim(),
        config.rmsNormEps(),
        config.ropeTheta(),
        config.slidingWindow().orElse(0),
        config.maxPositionEmbeddings(),
        config.tieWordEmbeddings(),
        config.bosTokenId().isPresent() ? config.bosTokenId().getAsInt() : null,
        config.eosTokenIds().isEmpty() ? null : config.eosTokenIds().getFirst(),
        config.initializerRange());
  }

  /// The configuration for a tokenizer of `tokenizerVocabSize` ids. What the recipe does not name
  /// is the tokenizer's, then the preset's.
  ///
  /// @throws IllegalArgumentException if the sizes do not fit together
  public ModelConfig config(
      int tokenizerVocabSize, OptionalInt beginOfSequence, OptionalInt endOfSequence) {
    ModelConfig base = base();
    int heads = or(numAttentionHeads, base.numAttentionHeads());
    int hidden = or(hiddenSize, base.hiddenSize());
    boolean sameHeads = hiddenSize == null && numAttentionHeads == null;
    int keyValueHeads = preset == null ? heads : Math.min(heads, base.numKeyValueHeads());
    return new ModelConfig(
        base.modelType(),
        or(vocabSize, tokenizerVocabSize),
        hidden,
        or(intermediateSize, base.intermediateSize()),
        or(numHiddenLayers, base.numHiddenLayers()),
        heads,
        or(numKeyValueHeads, keyValueHeads),
        headDim != null ? headDim : sameHeads ? base.headDim() : headDim(hidden, heads),
        rmsNormEps != null ? rmsNormEps : base.rmsNormEps(),
        ropeTheta != null ? ropeTheta : base.ropeTheta(),
        window(base),
        or(maxPositionEmbeddings, base.maxPositionEmbeddings()),
        tieWordEmbeddings != null ? tieWordEmbeddings : base.tieWordEmbeddings(),
        bosTokenId != null ? OptionalInt.of(bosTokenId) : beginOfSequence,
        eosTokenId != null ? List.of(eosTokenId) : endOfSequence.stream().boxed().toList(),
        initializerRange != null ? initializerRange : base.initializerRange());
  }

  /// The preset, or the defaults that a shape without one has: Moxin's, with full attention over
  /// 2048 positions.
  private ModelConfig base() {
    if (preset != null && preset.equals(QUICKSTART)) {
      return ModelConfig.quickstart();
    }
    ModelConfig moxin = ModelConfig.moxin7b();
    return preset != null ? moxin : moxin.withContext(OptionalInt.empty(), 2048);
  }

  private OptionalInt window(ModelConfig base) {
    if (slidingWindow == null) {
      return base.slidingWindow();
    }
    return slidingWindow == 0 ? OptionalInt.empty() : OptionalInt.of(slidingWindow);
  }

  private static int headDim(int hidden, int heads) {
    if (heads <= 0 || hidden % heads != 0) {
      throw new IllegalArgumentException(
          "hiddenSize " + hidden + " is no multiple of numAttentionHeads " + heads);
    }
    return hidden / heads;
  }

  private static int or(@Nullable Integer value, int absent) {
    return value == null ? absent : value;
  }

  private static void require(String name, @Nullable Integer value) {
    if (value == null) {
      throw new IllegalArgumentException(name + " is missing, and no preset is named");
    }
  }
}
