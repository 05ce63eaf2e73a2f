package moxin.train.transformer;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import moxin.model.ModelConfig;
import moxin.train.OptimizerStates;
import moxin.train.adapter.AdapterSettings;
import moxin.train.adapter.AdapterSettings.Factor;
import moxin.train.adapter.AdapterTarget;

/// Where the factors of an adapter stand in flat arrays. The A of modules that share an input
/// follow one another, so that they are one matrix; each B is a matrix of its own, that writes its
/// module's columns of the product. Gaps stay zero.
final class AdapterLayout {
  private static final long PIECE = 4096;

  private final Map<String, ParameterLayout.Slot> slots = new HashMap<>();
  private final List<Map<Linear, Site>> layers = new ArrayList<>();
  private final long size;

  /// Where the factors stand that have an optimizer's state of `states`.
  ///
  /// @throws moxin.job.BadInputException if two factors would share a block of the state
  AdapterLayout(ModelConfig config, AdapterSettings settings, OptimizerStates states) {
    int unit = states.alignment();
    long at = 0;
    for (int layer = 0; layer < config.numHiddenLayers(); layer++) {
      Map<Linear, Site> sites = new EnumMap<>(Linear.class);
      for (Linear linear : Linear.values()) {
        List<Module> modules = modules(linear, config, settings);
        if (!modules.isEmpty()) {
          Site site = place(at, layer, modules, settings.rank(), unit);
          sites.put(linear, site);
          at = ParameterLayout.align(site.parts().getLast().b().end(), unit);
        }
      }
      layers.add(sites);
    }
    size = at;
    ParameterLayout.requireWholeBlocks(slots, states);
  }

  /// A module within the product that computes it.
  ///
  /// @param column of the product's result, at which its own begin
  private record Module(AdapterTarget target, int in, int out, int column) {}

  /// One module's share of a site.
  ///
  /// @param inner at which of the site's columns of x·Aᵀ its own begin
  /// @param column at which of the product's columns its own begin
  /// @param b `(out, rank)`
  record Part(int inner, int column, ParameterLayout.Slot b) {}

  /// The adapters on one product.
  ///
  /// @param a `(R, in)`, R the ranks of all parts together
  record Site(ParameterLayout.Slot a, List<Part> parts) {}

  /// The adapters on `linear`; empty where there are none.
  Optional<Site> site(int layer, Linear linear) {
    return Optional.ofNullable(layers.get(layer).get(linear));
  }

  int layers() {
    return layers.size();
  }

  /// The slot of a factor by its name in PEFT's files.
  ParameterLayout.Slot slot(String name) {
    ParameterLayout.Slot slot = slots.get(name);
    if (slot == null) {
      throw new IllegalArgumentException("no adapter tensor " + name);
    }
    return slot;
  }

  /// All that is exchanged and summed together.
  List<ParameterLayout.Bucket> buckets() {
    return List.of(new ParameterLayout.Bucket(0, size, PIECE, ParameterLayout.Group.MATRICES));
  }

  /// The size of the flat arrays.
  long size() {
    return size;
  }

  private Site place(long at, int layer, List<Module> modules, int rank, int unit) {
    int in = modules.getFirst().in();
    ParameterLayout.Slot a = new ParameterLayout.Slot(at, modules.size() * rank, in);
    List<Part> parts = new ArrayList<>();
    long next = ParameterLayout.align(a.end(), unit);
    for (int i = 0; i < modules.size(); i++) {
      Module module = modules.get(i);
      ParameterLayout.Slot b = new ParameterLayout.Slot(next, module.out(), rank);
      next = ParameterLayout.align(b.end(), unit);
      parts.add(new Part(i * rank, module.column(), b));
      slots.put(
          AdapterSettings.name(module.target(), layer, Factor.A),
          new ParameterLayout.Slot(at + (long) i * rank * in, rank, in));
      slots.put(AdapterSettings.name(module.target(), layer, Factor.B), b);
    }
    return new Site(a, List.copyOf(parts));
  }

  private static List<Module> modules(Linear linear, ModelConfig config, AdapterSettings settings) {
    List<AdapterTarget> all =
        switch (linear) {
          case PROJECTIONS -> List.of(AdapterTarget.QUERY, AdapterTarget.KEY, AdapterTarget.VALUE);
          case OUTPUT -> List.of(AdapterTarget.ATTENTION_OUTPUT);
          case GATE_UP -> List.of(AdapterTarget.GATE, AdapterTarget.UP);
          case DOWN -> List.of(AdapterTarget.DOWN);
        };
    List<Module> modules = new ArrayList<>();
    int column = 0;
    for (AdapterTarget target : all) {
      List<Long> shape = target.weight().shape(config);
      int out = Math.toIntExact(shape.getFirst());
      if (settings.targets().contains(target)) {
        modules.add(new Module(target, Math.toIntExact(shape.getLast()), out, column));
      }
      column += out;
    }
    return modules;
  }
}
