package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonInclude;
import org.jspecify.annotations.Nullable;

/// Token shards to draw rows from: a path, or the name of an output of the data section. With both,
/// the path is where the name's shards lie unless the command line says otherwise.
///
/// @param name such as `train` or `validation`
/// @param path a shard, or a directory of shards
/// @param weight the share of rows, relative to the other sources'; by number of tokens when no
///   source has one
/// @param maxEpochs how many passes over it this phase may make; a fraction is a part of it
/// @param maxTokens how many positions of this phase may be its; with both, the smaller counts
/// @param whenExhausted what follows then; drop where one of these two is given, else repeat. Drop
///   and stop without either of them mean one pass.
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Source(
    @Nullable String name,
    @Nullable String path,
    @Nullable Double weight,
    @Nullable Double maxEpochs,
    @Nullable Long maxTokens,
    Exhausted whenExhausted) {

  public Source(
      @Nullable String name,
      @Nullable String path,
      @Nullable Double weight,
      @Nullable Double maxEpochs,
      @Nullable Long maxTokens,
      @Nullable Exhausted whenExhausted) {
    boolean limited = maxEpochs != null || maxTokens != null;
    this.name = name;
    this.path = path;
    this.weight = weight;
    this.maxEpochs = maxEpochs;
    this.maxTokens = maxTokens;
    this.whenExhausted =
        whenExhausted != null ? whenExhausted : limited ? Exhausted.DROP : Exhausted.REPEAT;
    if (name == null && path == null) {
      throw new IllegalArgumentException("a source has a name or a path");
    }
    if (limited && whenExhausted == Exhausted.REPEAT) {
      throw new IllegalArgumentException(
          "source "
              + label()
              + ": whenExhausted: repeat leaves maxEpochs and maxTokens no meaning");
    }
    Require.positive("weight", weight == null ? 1 : weight);
    Require.positive("maxEpochs", maxEpochs == null ? 1 : maxEpochs);
    Require.atLeast("maxTokens", maxTokens == null ? 1 : maxTokens, 1);
  }

  /// A source without limits.
  public static Source of(@Nullable String name, @Nullable String path, @Nullable Double weight) {
    return new Source(name, path, weight, null, null, null);
  }

  Source withPath(String other) {
    return new Source(name, other, weight, maxEpochs, maxTokens, whenExhausted);
  }

  /// How messages call it.
  public String label() {
    return name != null ? name : String.valueOf(path);
  }
}
