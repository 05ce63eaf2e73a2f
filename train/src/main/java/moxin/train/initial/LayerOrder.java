package moxin.train.initial;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import moxin.job.BadInputException;

/// Which layer of a shallower model each layer of a deeper one comes from.
///
/// @param sources one for each layer of the deeper model, counted from 0
record LayerOrder(List<Integer> sources) {

  LayerOrder {
    sources = List.copyOf(sources);
  }

  /// Reads ranges such as `0-17,14-31`.
  ///
  /// @param shallow how many layers there are to name
  /// @param deep how many must be named
  static LayerOrder parse(String text, int shallow, int deep) {
    List<Integer> sources = new ArrayList<>();
    for (String range : text.split(",", -1)) {
      if (!range.strip().matches("[0-9]{1,4}(-[0-9]{1,4})?")) {
        throw new BadInputException("layers: expected ranges as 0-17,14-31, found " + text);
      }
      String[] ends = range.strip().split("-", 2);
      int first = Integer.parseInt(ends[0]);
      int last = Integer.parseInt(ends[ends.length - 1]);
      if (first > last || last >= shallow) {
        throw new BadInputException(
            "layers: " + range.strip() + " is no range of layers 0-" + (shallow - 1));
      }
      IntStream.rangeClosed(first, last).forEach(sources::add);
    }
    if (sources.size() != deep) {
      throw new BadInputException(
          "layers: " + text + " names " + sources.size() + " layers, the model has " + deep);
    }
    return new LayerOrder(sources);
  }

  /// The first half of the deeper model from the beginning, the second half from the end of the
  /// shallower one: the layers in the middle stand twice.
  static LayerOrder overlappingHalves(int shallow, int deep) {
    int first = (deep + 1) / 2;
    if (first > shallow) {
      throw new BadInputException(
          "layers: a model of "
              + deep
              + " layers is more than twice as deep as the checkpoint's "
              + shallow
              + "; say which layers it repeats");
    }
    List<Integer> sources = new ArrayList<>();
    IntStream.range(0, first).forEach(sources::add);
    IntStream.range(shallow - (deep - first), shallow).forEach(sources::add);
    return new LayerOrder(sources);
  }

  /// Every layer once, and after every `shallow / (deep - shallow)` of them the last of these once
  /// more.
  static LayerOrder evenlySpread(int shallow, int deep) {
    int added = deep - shallow;
    List<Integer> sources = new ArrayList<>();
    int next = 1;
    for (int layer = 0; layer < shallow; layer++) {
      sources.add(layer);
      while (next <= added && (long) next * shallow / added == layer + 1) {
        sources.add(layer);
        next++;
      }
    }
    return new LayerOrder(sources);
  }

  /// Whether layer `layer` of the deeper model repeats one that stands before it.
  boolean repeats(int layer) {
    return sources.subList(0, layer).contains(sources.get(layer));
  }

  /// Checks that the layers of the shallower model stand in their order, each once, where
  /// repetitions are left out.
  void requireAllInOrder(int shallow) {
    List<Integer> firsts = sources.stream().distinct().toList();
    if (!firsts.equals(IntStream.range(0, shallow).boxed().toList())) {
      throw new BadInputException(
          "layers: "
              + this
              + ": identity blocks need all layers 0-"
              + (shallow - 1)
              + " in their order, with repetitions between them");
    }
  }

  @Override
  public String toString() {
    List<String> ranges = new ArrayList<>();
    for (int from = 0; from < sources.size(); ) {
      int to = from;
      while (to + 1 < sources.size() && sources.get(to + 1) == sources.get(to) + 1) {
        to++;
      }
      int first = sources.get(from);
      ranges.add(from == to ? String.valueOf(first) : first + "-" + sources.get(to));
      from = to + 1;
    }
    return ranges.stream().collect(Collectors.joining(","));
  }
}
