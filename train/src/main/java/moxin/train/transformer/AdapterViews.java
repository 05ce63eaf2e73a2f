package moxin.train.transformer;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import moxin.torch.Tensor;

/// A flat array seen as the factors of an adapter, or their gradients.
final class AdapterViews {
  private final List<Map<Linear, Site>> layers = new ArrayList<>();

  /// The factors within `flat`; the views belong to the current scope.
  AdapterViews(AdapterLayout layout, Tensor flat) {
    for (int layer = 0; layer < layout.layers(); layer++) {
      Map<Linear, Site> sites = new EnumMap<>(Linear.class);
      for (Linear linear : Linear.values()) {
        layout.site(layer, linear).ifPresent(site -> sites.put(linear, view(site, flat)));
      }
      layers.add(sites);
    }
  }

  /// One module's share of a site; see [AdapterLayout.Part].
  ///
  /// @param b `(out, rank)`
  record Part(int inner, int column, int out, int rank, Tensor b) {

    /// The columns of `x (N, R)` that are this part's.
    Tensor inner(Tensor x) {
      return columns(x, inner, rank);
    }

    /// The columns of `y (N, out of the product)` that are this part's.
    Tensor outer(Tensor y) {
      return columns(y, column, out);
    }

    /// [#outer], transposed.
    Tensor outerTransposed(Tensor y) {
      long[] shape = y.shape();
      return y.view(column, new long[] {out, shape[0]}, new long[] {1, shape[1]});
    }

    private static Tensor columns(Tensor matrix, int from, int count) {
      long[] shape = matrix.shape();
      return matrix.view(from, new long[] {shape[0], count}, new long[] {shape[1], 1});
    }
  }

  /// The adapters on one product.
  ///
  /// @param a `(R, in)`
  record Site(Tensor a, List<Part> parts) {}

  /// The adapters on `linear`; empty where there are none.
  Optional<Site> site(int layer, Linear linear) {
    return Optional.ofNullable(layers.get(layer).get(linear));
  }

  private static Site view(AdapterLayout.Site site, Tensor flat) {
    List<Part> parts = new ArrayList<>();
    for (AdapterLayout.Part part : site.parts()) {
      ParameterLayout.Slot b = part.b();
      parts.add(new Part(part.inner(), part.column(), b.rows(), b.columns(), matrix(flat, b)));
    }
    return new Site(matrix(flat, site.a()), List.copyOf(parts));
  }

  private static Tensor matrix(Tensor flat, ParameterLayout.Slot slot) {
    return flat.view(slot.offset(), slot.rows(), slot.columns());
  }
}
