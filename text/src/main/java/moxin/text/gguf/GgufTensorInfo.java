package moxin.text.gguf;

import java.util.List;

/// An entry of a GGUF file's table of tensors.
///
/// @param dimensions innermost first, at most four: a matrix `(out, in)` has `[in, out]`
/// @param type ggml's number of the element type
/// @param offset of the data, counted from where the data of all tensors begins
public record GgufTensorInfo(String name, List<Long> dimensions, int type, long offset) {

  public GgufTensorInfo {
    dimensions = List.copyOf(dimensions);
  }
}
