package moxin.train.adapter;

import java.util.Locale;

/// The bytes that training an adapter takes, by kind.
///
/// @param weights of the frozen model, embeddings and norms included
/// @param layers layers of a quantised model that stand in the compute type while they are used
/// @param adapter its weights and their copy in the compute type, gradients and moments, and the
///   gradients of slices
/// @param activations of all passing threads
public record AdapterMemory(long weights, long layers, long adapter, long activations) {
  private static final double GIB = 1 << 30;

  /// All together.
  public long total() {
    return weights + layers + adapter + activations;
  }

  /// In GiB, for people.
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%.2f GiB: frozen weights %.2f, layer in use %.2f, adapter with optimizer %.2f,"
            + " activations %.2f",
        total() / GIB,
        weights / GIB,
        layers / GIB,
        adapter / GIB,
        activations / GIB);
  }
}
