package moxin.train.transformer;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Function;
import moxin.collective.Communicator;
import moxin.model.Checkpoint;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.SafetensorsWriter;
import moxin.model.TensorView;
import moxin.model.WeightNames;

/// The parameters of a [ShardedLearner] as whole tensors under the names that files use. Every
/// method is collective.
///
/// Each process writes a file of the buckets that fall to it, as many as there are processes or
/// buckets, beside an index; the files know nothing of stages and processes, so that any number of
/// processes can go on from them.
final class ShardFiles {
  private final Communicator communicator;
  private final RankLink link;
  private final ShardExchange exchange;
  private final ShardedParameters parameters;
  private final List<ParameterLayout.Bucket> buckets;
  private final Map<String, List<Long>> shapes;

  ShardFiles(
      ModelConfig config,
      Communicator communicator,
      RankLink link,
      ShardExchange exchange,
      ShardedParameters parameters) {
    this.communicator = communicator;
    this.link = link;
    this.exchange = exchange;
    this.parameters = parameters;
    this.buckets = parameters.shards().buckets();
    this.shapes = WeightNames.shapes(config);
  }

  /// The weights on process 0, in `arena`; empty on the others.
  List<TensorView> weights(Arena arena) {
    return whole(arena, Map.of("", parameters.weightArray()));
  }

  /// The gradients summed so far on process 0, in `arena`; empty on the others.
  List<TensorView> gradients(Arena arena) {
    if (!parameters.divided()) {
      link.run(
          () -> {
            for (int i = 0; i < buckets.size(); i++) {
              exchange.gatherGradient(i);
            }
          });
    }
    return whole(arena, Map.of("", FlatArray.of(parameters.gradient())));
  }

  /// The moments on process 0, in `arena`; empty on the others.
  List<TensorView> moments(Arena arena) {
    return whole(arena, parameters.stateArrays());
  }

  private List<TensorView> whole(Arena arena, Map<String, FlatArray> arrays) {
    List<TensorView> views = new ArrayList<>();
    arrays.forEach((suffix, array) -> views.addAll(collected(arena, array, suffix, 1)));
    return views;
  }

  /// The tensors of an array whose buckets fall to this process when `writers` share them.
  private List<TensorView> collected(Arena arena, FlatArray array, String suffix, int writers) {
    Map<String, TensorView> views = new LinkedHashMap<>();
    for (int i = 0; i < buckets.size(); i++) {
      int index = i;
      int root = i % writers;
      ParameterLayout.Bucket bucket = buckets.get(i);
      boolean here = communicator.rank() == root;
      MemorySegment whole = here ? room(arena, array, index) : MemorySegment.NULL;
      link.run(() -> exchange.collect(array, index, root, whole));
      if (here) {
        forEachSlot(
            bucket,
            (name, slot) ->
                views.put(
                    name,
                    new TensorView(
                        name + suffix,
                        type(array, index),
                        ParameterFiles.shapeOf(array, shape(name)),
                        part(whole, array, index, slot))));
      }
    }
    return shapes.keySet().stream().filter(views::containsKey).map(views::get).toList();
  }

  /// Memory for bucket `index` of an array.
  private MemorySegment room(Arena arena, FlatArray array, int index) {
    long elements = buckets.get(index).elements();
    return arena.allocate(array.numbers(elements) * type(array, index).byteSize(), 64);
  }

  /// The type of bucket `index` of an array.
  private DType type(FlatArray array, int index) {
    return (index == parameters.norms() ? array.tail() : array.head()).type();
  }

  /// A parameter's bytes of those of bucket `index`.
  private MemorySegment part(
      MemorySegment whole, FlatArray array, int index, ParameterLayout.Slot slot) {
    long size = type(array, index).byteSize();
    long at = (slot.offset() - buckets.get(index).from()) / array.block();
    return whole.asSlice(at * size, array.numbers(slot.elements()) * size);
  }

  /// What the leader writes into a bucket of an array.
  @FunctionalInterface
  interface Source {
    /// Writes what the array has of weight `name`, in the array's type.
    void write(String name, DType type, MemorySegment target);
  }

  /// Hands out the weights that process 0 gives.
  void setWeights(Source source) {
    set(parameters.weightArray(), source);
  }

  /// Hands out the optimizer's state that process 0 gives for the names that end with each suffix.
  void setOptimizerState(Function<String, Source> sources) {
    parameters.stateArrays().forEach((suffix, array) -> set(array, sources.apply(suffix)));
  }

  /// As [ParameterFiles#requireOptimizerState], of one that this process can go on from.
  long requireOptimizerState(Checkpoint checkpoint) {
    return ParameterFiles.requireOptimizerState(checkpoint, shapes, parameters.stateArrays());
  }

  private void set(FlatArray array, Source source) {
    for (int i = 0; i < buckets.size(); i++) {
      int index = i;
      try (Arena arena = Arena.ofShared()) {
        boolean here = communicator.rank() == 0;
        MemorySegment whole = here ? room(arena, array, index) : MemorySegment.NULL;
        if (here) {
          forEachSlot(
              buckets.get(i),
              (name, slot) ->
                  source.write(name, type(array, index), part(whole, array, index, slot)));
        }
        link.run(() -> exchange.distribute(whole, index, array));
      }
    }
  }

  /// Writes weights and optimizer's state into `directory`, each process its share; process 0
  /// writes the indexes.
  ///
  /// @param steps of the optimizer
  /// @throws IOException on every process if any of them cannot write
  void write(Path directory, long steps) throws IOException {
    int writers = Math.min(communicator.size(), buckets.size());
    IOException failure = null;
    try {
      write(directory, "model", Map.of("", parameters.weightArray()), writers, -1);
    } catch (IOException e) {
      failure = e;
    }
    requireAllWritten(directory, failure);
    try {
      write(directory, "optimizer", parameters.stateArrays(), writers, steps);
    } catch (IOException e) {
      failure = e;
    }
    requireAllWritten(directory, failure);
    if (communicator.rank() == 0) {
      writeIndex(directory, "model", Map.of("", parameters.weightArray()), writers);
      writeIndex(directory, "optimizer", parameters.stateArrays(), writers);
    }
  }

  private void write(
      Path directory, String stem, Map<String, FlatArray> arrays, int writers, long steps)
      throws IOException {
    try (Arena arena = Arena.ofShared()) {
      List<TensorView> views = new ArrayList<>();
      arrays.forEach((suffix, array) -> views.addAll(collected(arena, array, suffix, writers)));
      if (communicator.rank() == 0 && steps >= 0) {
        MemorySegment count = arena.allocate(8, 8);
        count.set(ValueLayout.JAVA_LONG, 0, steps);
        views.add(TensorView.of(ParameterFiles.STEP, DType.I64, count, 1));
      }
      if (communicator.rank() < writers) {
        Path file = directory.resolve(fileName(stem, communicator.rank(), writers));
        SafetensorsWriter.write(file, views, Map.of("format", "pt"));
      }
    }
  }

  private void writeIndex(Path directory, String stem, Map<String, FlatArray> arrays, int writers)
      throws IOException {
    Map<String, String> fileOfTensor = new TreeMap<>();
    long bytes = 0;
    for (int i = 0; i < buckets.size(); i++) {
      String file = fileName(stem, i % writers, writers);
      for (String suffix : arrays.keySet()) {
        forEachSlot(buckets.get(i), (name, _) -> fileOfTensor.put(name + suffix, file));
      }
    }
    for (FlatArray array : arrays.values()) {
      for (String name : shapes.keySet()) {
        long elements = shape(name).stream().reduce(1L, Math::multiplyExact);
        bytes += array.numbers(elements) * type(array, bucketOf(name)).byteSize();
      }
    }
    if (!arrays.containsKey("")) {
      fileOfTensor.put(ParameterFiles.STEP, fileName(stem, 0, writers));
      bytes += 8;
    }
    SafetensorsWriter.writeIndex(
        directory.resolve(stem + SafetensorsCheckpoint.INDEX_SUFFIX), fileOfTensor, bytes);
  }

  private static String fileName(String stem, int index, int count) {
    return "%s-%05d-of-%05d.safetensors".formatted(stem, index + 1, count);
  }

  /// Agrees on whether all processes could write.
  private void requireAllWritten(Path directory, @org.jspecify.annotations.Nullable IOException own)
      throws IOException {
    long[] failed = new long[communicator.size()];
    try (Arena arena = Arena.ofShared()) {
      MemorySegment mine = arena.allocate(8, 8);
      mine.set(ValueLayout.JAVA_LONG, 0, own == null ? 0 : 1);
      List<MemorySegment> all = new ArrayList<>();
      for (int i = 0; i < failed.length; i++) {
        all.add(arena.allocate(8, 8));
      }
      link.run(() -> communicator.allGather(mine, all));
      for (int i = 0; i < failed.length; i++) {
        failed[i] = all.get(i).get(ValueLayout.JAVA_LONG, 0);
      }
    }
    if (own != null) {
      throw own;
    }
    for (int i = 0; i < failed.length; i++) {
      if (failed[i] != 0) {
        throw new IOException(directory + ": process " + i + " could not write its part");
      }
    }
  }

  private List<Long> shape(String name) {
    return java.util.Objects.requireNonNull(shapes.get(name));
  }

  private int bucketOf(String name) {
    long offset = parameters.layout().slot(name).offset();
    int index = 0;
    while (offset < buckets.get(index).from() || offset >= buckets.get(index).to()) {
      index++;
    }
    return index;
  }

  private void forEachSlot(
      ParameterLayout.Bucket bucket, BiConsumer<String, ParameterLayout.Slot> action) {
    for (String name : shapes.keySet()) {
      ParameterLayout.Slot slot = parameters.layout().slot(name);
      if (slot.offset() >= bucket.from() && slot.offset() < bucket.to()) {
        action.accept(name, slot);
      }
    }
  }
}
