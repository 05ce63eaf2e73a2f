package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonInclude;
import org.jspecify.annotations.Nullable;

/// Token shards to draw rows from: a path, or the name of an output of the data section.
///
/// @param name such as `train` or `validation`
/// @param path a shard, or a directory of shards
/// @param weight the share of rows, relative to the other sources'; by number of tokens when no
///   source has one
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Source(@Nullable String name, @Nullable String path, @Nullable Double weight) {

  public Source {
    if ((name == null) == (path == null)) {
      throw new IllegalArgumentException("a source has either a name or a path");
    }
    if (weight != null) {
      Require.positive("weight", weight);
    }
  }

  /// How messages call it.
  public String label() {
    return name != null ? name : String.valueOf(path);
  }
}
