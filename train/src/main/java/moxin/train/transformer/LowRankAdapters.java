package moxin.train.transformer;

import moxin.torch.Aten;
import moxin.torch.Scope;
import moxin.torch.Tensor;

/// y += s·(x·Aᵀ)·Bᵀ (Hu et al. 2021, equation 3). The product of the factors is never formed: in
/// bf16 it would vanish beside the weights.
///
/// Nothing is kept from forward to backward; x·Aᵀ is computed again, which costs as much as the
/// rank is small. Immutable.
final class LowRankAdapters implements Adapters {
  private final AdapterViews factors;
  private final double scale;

  /// @param factors in the compute type
  LowRankAdapters(AdapterViews factors, double scale) {
    this.factors = factors;
    this.scale = scale;
  }

  @Override
  public void forward(int layer, Linear linear, Tensor x, Tensor y) {
    factors
        .site(layer, linear)
        .ifPresent(
            site -> {
              try (Scope _ = Scope.open()) {
                Tensor inner = Aten.mm(x, site.a().transposed());
                for (AdapterViews.Part part : site.parts()) {
                  Aten.addmm(part.outer(y), part.inner(inner), part.b().transposed(), scale);
                }
              }
            });
  }

  @Override
  public void backward(int layer, Linear linear, Tensor dy, Tensor dx) {
    factors
        .site(layer, linear)
        .ifPresent(
            site -> {
              try (Scope _ = Scope.open()) {
                Aten.addmm(dx, innerGradient(site, dy), site.a(), scale);
              }
            });
  }

  /// Writes the gradients of the factors: dB = s·dyᵀ·(x·Aᵀ), dA = s·(dy·B)ᵀ·x.
  void gradient(int layer, Linear linear, Tensor dy, Tensor x, AdapterViews gradients) {
    factors
        .site(layer, linear)
        .ifPresent(
            site -> {
              try (Scope _ = Scope.open()) {
                AdapterViews.Site target = gradients.site(layer, linear).orElseThrow();
                Tensor inner = Aten.mm(x, site.a().transposed());
                for (AdapterViews.Part part : target.parts()) {
                  Aten.mm(part.b(), part.outerTransposed(dy), part.inner(inner), scale);
                }
                Aten.mm(target.a(), innerGradient(site, dy).transposed(), x, scale);
              }
            });
  }

  /// dy·B `(N, R)`, without the scale.
  private static Tensor innerGradient(AdapterViews.Site site, Tensor dy) {
    Tensor gradient = Tensor.empty(dy.type(), dy.device(), dy.shape()[0], site.a().shape()[0]);
    for (AdapterViews.Part part : site.parts()) {
      Aten.mm(part.inner(gradient), part.outer(dy), part.b());
    }
    return gradient;
  }
}
