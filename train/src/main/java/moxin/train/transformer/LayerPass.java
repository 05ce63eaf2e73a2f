package moxin.train.transformer;

/// Is told which layers a slice's pass comes to, on the thread that makes the pass: weights may be
/// fetched then, and gradients sent.
interface LayerPass {

  /// A pass that nobody watches.
  LayerPass UNWATCHED = new LayerPass() {};

  /// The weights of layer `layer` are about to be used forward.
  default void beforeForward(int layer) {}

  /// The gradient of the output projection is written.
  default void afterHead() {}

  /// The weights of layer `layer` are about to be used backward, and its gradient to be written.
  default void beforeBackward(int layer) {}

  /// The gradient of layer `layer` is written.
  default void afterBackward(int layer) {}

  /// Tells what a forward pass through `layers` layers would.
  default void walkForward(int layers) {
    for (int layer = 0; layer < layers; layer++) {
      beforeForward(layer);
    }
  }

  /// Tells what a forward and backward pass through `layers` layers would.
  default void walk(int layers) {
    walkForward(layers);
    afterHead();
    for (int layer = layers - 1; layer >= 0; layer--) {
      beforeBackward(layer);
      afterBackward(layer);
    }
  }
}
