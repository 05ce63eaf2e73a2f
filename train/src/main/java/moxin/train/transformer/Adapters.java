package moxin.train.transformer;

import moxin.torch.Tensor;

/// What a block's linear layers add to the products with the model's matrices. Called on the
/// threads of several slices at once.
interface Adapters {

  /// Adds nothing.
  Adapters NONE = new Adapters() {};

  /// Adds to `y (N, out)`, which is the product with `x (N, in)`.
  default void forward(int layer, Linear linear, Tensor x, Tensor y) {}

  /// Adds to `dx (N, in)`, the gradient of the input, what `dy (N, out)` gives.
  default void backward(int layer, Linear linear, Tensor dy, Tensor dx) {}
}
