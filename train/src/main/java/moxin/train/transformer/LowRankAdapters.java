package moxin.train.transformer;

import moxin.torch.Aten;
import moxin.torch.Scope;
import moxin.torch.Tensor;

/// y += s·(x·Aᵀ)·Bᵀ (Hu et al. 2021, equation 3). The product of the factors is never formed: in
/// bf16 it would vanish beside the weights.
///
/// With dropout, x is what is left of it. Nothing is kept from forward to backward; x·Aᵀ is
/// computed again, which costs as much as the rank is small. Immutable.
final class LowRankAdapters implements Adapters {
  private final AdapterViews factors;
  private final double scale;
  private final Dropout dropout;

  /// Without dropout.
  ///
  /// @param factors in the compute type
  LowRankAdapters(AdapterViews factors, double scale) {
    this(factors, scale, new Dropout(0, 0));
  }

  private LowRankAdapters(AdapterViews factors, double scale, Dropout dropout) {
    this.factors = factors;
    this.scale = scale;
    this.dropout = dropout;
  }

  /// The same adapters with `other` on their input, each layer's with a key of its own.
  LowRankAdapters dropping(Dropout other) {
    return new LowRankAdapters(factors, scale, other);
  }

  private Dropout at(int layer, Linear linear) {
    return dropout.of((long) layer * Linear.values().length + linear.ordinal());
  }

  /// What is left of `x`, in the scope's memory where anything is dropped.
  private Tensor seen(int layer, Linear linear, Tensor x) {
    return dropout.isNone() ? x : at(layer, linear).drop(x);
  }

  @Override
  public void forward(int layer, Linear linear, Tensor x, Tensor y) {
    factors
        .site(layer, linear)
        .ifPresent(
            site -> {
              try (Scope _ = Scope.open()) {
                Tensor inner = Aten.mm(seen(layer, linear, x), site.a().transposed());
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
                Tensor inner = innerGradient(site, dy);
                if (dropout.isNone()) {
                  Aten.addmm(dx, inner, site.a(), scale);
                } else {
                  Tensor whole = Tensor.empty(dx.type(), dx.device(), dx.shape());
                  Aten.mm(whole, inner, site.a(), scale);
                  at(layer, linear).add(dx, whole);
                }
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
                Tensor seen = seen(layer, linear, x);
                Tensor inner = Aten.mm(seen, site.a().transposed());
                for (AdapterViews.Part part : target.parts()) {
                  Aten.mm(part.b(), part.outerTransposed(dy), part.inner(inner), scale);
                }
                Aten.mm(target.a(), innerGradient(site, dy).transposed(), seen, scale);
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
