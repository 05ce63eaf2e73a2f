package moxin.train.transformer;

import java.util.ArrayList;
import java.util.List;
import moxin.torch.Tensor;

/// A flat fp32 array seen as the weights of a model's norms, or their gradients; each `(C)`.
record NormViews(List<Tensor> attention, List<Tensor> feedForward, Tensor last) {

  /// The norms within `flat`, whose first element is parameter element `origin`.
  static NormViews of(ParameterLayout layout, Tensor flat, long origin) {
    List<Tensor> attention = new ArrayList<>();
    List<Tensor> feedForward = new ArrayList<>();
    for (ParameterLayout.Layer layer : layout.layers()) {
      attention.add(vector(flat, layer.attentionNorm(), origin));
      feedForward.add(vector(flat, layer.feedForwardNorm(), origin));
    }
    return new NormViews(
        List.copyOf(attention), List.copyOf(feedForward), vector(flat, layout.finalNorm(), origin));
  }

  private static Tensor vector(Tensor flat, ParameterLayout.Slot slot, long origin) {
    return flat.view(slot.offset() - origin, slot.elements());
  }
}
