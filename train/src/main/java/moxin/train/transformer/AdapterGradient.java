package moxin.train.transformer;

import java.util.Collections;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.torch.Device;
import moxin.torch.Tensor;

/// The gradient of an adapter over one slice of a batch, before it is added to that of the others.
/// Those of the frozen weights are not computed, but for the norms', which come with the gradient
/// of their input and are dropped.
///
/// @param flat the compute type, written afresh by each backward pass
/// @param adapters whose factors these are the gradients of
/// @param normViews one place for all
record AdapterGradient(
    Tensor flat, AdapterViews gradients, LowRankAdapters adapters, NormViews normViews)
    implements PassGradient {

  /// Room for the gradient of a slice.
  static AdapterGradient create(
      ModelConfig config,
      AdapterLayout layout,
      LowRankAdapters adapters,
      DType compute,
      Device device) {
    Tensor flat = Tensor.zeros(compute, device, layout.size());
    Tensor dropped = Tensor.zeros(DType.F32, device, config.hiddenSize());
    var norms = Collections.nCopies(config.numHiddenLayers(), dropped);
    return new AdapterGradient(
        flat, new AdapterViews(layout, flat), adapters, new NormViews(norms, norms, dropped));
  }

  /// The same place, of a pass with `dropout`.
  AdapterGradient dropping(Dropout dropout) {
    return new AdapterGradient(flat, gradients, adapters.dropping(dropout), normViews);
  }

  @Override
  public void begin() {}

  @Override
  public void linear(int layer, Linear linear, Tensor dy, Tensor x) {
    adapters.gradient(layer, linear, dy, x, gradients);
  }

  @Override
  public void head(Tensor dy, Tensor x, long from) {}

  @Override
  public void embedded(Tensor dx) {}
}
