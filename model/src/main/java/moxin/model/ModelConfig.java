package moxin.model;

import java.util.List;
import java.util.OptionalInt;

/// The shape of a Mistral-style decoder; components are the `config.json` names of Hugging Face in
/// camelCase.
///
/// @param modelType `mistral` or `llama`
/// @param vocabSize V, rows of the embedding
/// @param hiddenSize C
/// @param intermediateSize width of the SwiGLU
/// @param numHiddenLayers blocks
/// @param numAttentionHeads H, query heads
/// @param numKeyValueHeads G, key and value heads; divides H
/// @param headDim D, even
/// @param rmsNormEps ε of RMSNorm
/// @param ropeTheta base of the rotary frequencies
/// @param slidingWindow W: position i sees positions j with i − j < W; empty for full attention
/// @param maxPositionEmbeddings longest context the model is meant for
/// @param tieWordEmbeddings whether the output projection is the embedding
/// @param bosTokenId beginning of sequence, where the model has one
/// @param eosTokenIds the ids that end a sequence; most models have one
/// @param initializerRange standard deviation of fresh weights
public record ModelConfig(
    String modelType,
    int vocabSize,
    int hiddenSize,
    int intermediateSize,
    int numHiddenLayers,
    int numAttentionHeads,
    int numKeyValueHeads,
    int headDim,
    double rmsNormEps,
    double ropeTheta,
    OptionalInt slidingWindow,
    int maxPositionEmbeddings,
    boolean tieWordEmbeddings,
    OptionalInt bosTokenId,
    List<Integer> eosTokenIds,
    double initializerRange) {

  private static final int MAX_WIDTH = 1 << 24;
  private static final int MAX_LAYERS = 1 << 12;
  private static final int MAX_HEADS = 1 << 12;
  private static final int MAX_POSITIONS = 1 << 30;

  public ModelConfig {
    if (!modelType.equals("mistral") && !modelType.equals("llama")) {
      throw new IllegalArgumentException("model_type must be mistral or llama, found " + modelType);
    }
    requireBetween("vocab_size", vocabSize, MAX_WIDTH);
    requireBetween("hidden_size", hiddenSize, MAX_WIDTH);
    requireBetween("intermediate_size", intermediateSize, MAX_WIDTH);
    requireBetween("num_hidden_layers", numHiddenLayers, MAX_LAYERS);
    requireBetween("num_attention_heads", numAttentionHeads, MAX_HEADS);
    requireBetween("num_key_value_heads", numKeyValueHeads, MAX_HEADS);
    requireBetween("head_dim", headDim, MAX_HEADS);
    requireBetween("max_position_embeddings", maxPositionEmbeddings, MAX_POSITIONS);
    if (slidingWindow.isPresent()) {
      requireBetween("sliding_window", slidingWindow.getAsInt(), MAX_POSITIONS);
    }
    requireFinite("rms_norm_eps", rmsNormEps);
    requireFinite("rope_theta", ropeTheta);
    if (ropeTheta == 0) {
      throw new IllegalArgumentException("rope_theta must not be 0");
    }
    requireFinite("initializer_range", initializerRange);
    eosTokenIds = List.copyOf(eosTokenIds);
    if (bosTokenId.isPresent()) {
      requireToken("bos_token_id", bosTokenId.getAsInt(), vocabSize);
    }
    for (int eos : eosTokenIds) {
      requireToken("eos_token_id", eos, vocabSize);
    }
    if (modelType.equals("llama") && slidingWindow.isPresent()) {
      throw new IllegalArgumentException(
          "sliding_window belongs to model_type mistral; llama attends to everything");
    }
    if (numAttentionHeads % numKeyValueHeads != 0) {
      throw new IllegalArgumentException(
          "num_attention_heads "
              + numAttentionHeads
              + " is no multiple of num_key_value_heads "
              + numKeyValueHeads);
    }
    if (headDim % 2 != 0) {
      throw new IllegalArgumentException("head_dim " + headDim + " is odd; RoPE needs pairs");
    }
  }

  /// A configuration of a model with one id for each end of a sequence.
  public ModelConfig(
      String modelType,
      int vocabSize,
      int hiddenSize,
      int intermediateSize,
      int numHiddenLayers,
      int numAttentionHeads,
      int numKeyValueHeads,
      int headDim,
      double rmsNormEps,
      double ropeTheta,
      OptionalInt slidingWindow,
      int maxPositionEmbeddings,
      boolean tieWordEmbeddings,
      int bosTokenId,
      int eosTokenId,
      double initializerRange) {
    this(
        modelType,
        vocabSize,
        hiddenSize,
        intermediateSize,
        numHiddenLayers,
        numAttentionHeads,
        numKeyValueHeads,
        headDim,
        rmsNormEps,
        ropeTheta,
        slidingWindow,
        maxPositionEmbeddings,
        tieWordEmbeddings,
        OptionalInt.of(bosTokenId),
        List.of(eosTokenId),
        initializerRange);
  }

  /// The shape of Moxin-7B: 36 layers of Mistral's design, 8,114,180,096 parameters.
  public static ModelConfig moxin7b() {
    return new ModelConfig(
        "mistral",
        32000,
        4096,
        14336,
        36,
        32,
        8,
        128,
        1e-5,
        10000.0,
        OptionalInt.of(4096),
        32768,
        false,
        1,
        2,
        0.02);
  }

  /// The shape that the quickstart trains in minutes on two cores: Moxin's design with tied
  /// embeddings, 5.3 million parameters with a vocabulary of 4096.
  public static ModelConfig quickstart() {
    return new ModelConfig(
        "mistral",
        4096,
        256,
        704,
        6,
        8,
        2,
        32,
        1e-5,
        10000.0,
        OptionalInt.of(256),
        2048,
        true,
        1,
        2,
        0.02);
  }

  /// The number of weights, tied embeddings counted once.
  public long parameterCount() {
    long embedding = (long) vocabSize * hiddenSize;
    long queries = (long) numAttentionHeads * headDim;
    long keys = (long) numKeyValueHeads * headDim;
    long attention = hiddenSize * (2 * queries + 2 * keys);
    long feedForward = 3L * hiddenSize * intermediateSize;
    long layer = attention + feedForward + 2L * hiddenSize;
    return embedding * (tieWordEmbeddings ? 1 : 2) + numHiddenLayers * layer + hiddenSize;
  }

  /// How many positions a rolling cache must keep: the window, or the whole context without one.
  public int cacheLength() {
    return Math.min(slidingWindow.orElse(maxPositionEmbeddings), maxPositionEmbeddings);
  }

  /// Whether generation ends with token `id`.
  public boolean isEndOfSequence(int id) {
    return eosTokenIds.contains(id);
  }

  /// The same weights seen through another window; empty for full attention.
  public ModelConfig withSlidingWindow(OptionalInt window) {
    return withContext(window, maxPositionEmbeddings);
  }

  /// The same weights seen through another window and meant for contexts of another length.
  public ModelConfig withContext(OptionalInt window, int positions) {
    return new ModelConfig(
        modelType,
        vocabSize,
        hiddenSize,
        intermediateSize,
        numHiddenLayers,
        numAttentionHeads,
        numKeyValueHeads,
        headDim,
        rmsNormEps,
        ropeTheta,
        window,
        positions,
        tieWordEmbeddings,
        bosTokenId,
        eosTokenIds,
        initializerRange);
  }

  private static void requireBetween(String name, int value, int max) {
    if (value <= 0 || value > max) {
      throw new IllegalArgumentException(
          name + " must be between 1 and " + max + ", found " + value);
    }
  }

  private static void requireFinite(String name, double value) {
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw new IllegalArgumentException(name + " must be a number from 0 up, found " + value);
    }
  }

  private static void requireToken(String name, int id, int vocabSize) {
    if (id < 0 || id >= vocabSize) {
      throw new IllegalArgumentException(
          name + " " + id + " is outside the vocabulary of " + vocabSize);
    }
  }
}
