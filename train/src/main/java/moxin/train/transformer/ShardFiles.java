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
import moxin.collective.Communicator;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.SafetensorsWriter;
import moxin.model.TensorView;
import moxin.model.WeightNames;
import moxin.torch.Tensor;

/// The parameters of a [ShardedLearner] as whole tensors under the names that files use. Every
/// method is collective.
///
/// Each process writes a file of the buckets that fall to it, as many as there are processes or
/// buckets, beside an index; the files know nothing of stages and processes, so that any number of
/// processes can go on from them.
final class ShardFiles {
  private final ModelConfig config;
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
    this.config = config;
    this.communicator = communicator;
    this.link = link;
    this.exchange = exchange;
    this.parameters = parameters;
    this.buckets = parameters.shards().buckets();
    this.shapes = WeightNames.shapes(config);
  }

  /// The flat fp32 arrays, by what names of their tensors end with.
  private Map<String, Tensor> optimizerArrays() {
    Map<String, Tensor> arrays = new LinkedHashMap<>();
    arrays.put(ParameterFiles.FIRST_MOMENT, parameters.firstMoment());
    arrays.put(ParameterFiles.SECOND_MOMENT, parameters.secondMoment());
    return arrays;
  }

  /// The weights on process 0, in `arena`; empty on the others.
  List<TensorView> weights(Arena arena) {
    return whole(arena, Map.of("", parameters.weights()));
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
    return whole(arena, Map.of("", parameters.gradient()));
  }

  /// The moments on process 0, in `arena`; empty on the others.
  List<TensorView> moments(Arena arena) {
    return whole(arena, optimizerArrays());
  }

  private List<TensorView> whole(Arena arena, Map<String, Tensor> arrays) {
    List<TensorView> views = new ArrayList<>();
    arrays.forEach((suffix, flat) -> views.addAll(collected(arena, flat, suffix, 1)));
    return views;
  }

  /// The tensors of an array whose buckets fall to this process when `writers` share them.
  private List<TensorView> collected(Arena arena, Tensor flat, String suffix, int writers) {
    Map<String, TensorView> views = new LinkedHashMap<>();
    for (int i = 0; i < buckets.size(); i++) {
      int index = i;
      int root = i % writers;
      ParameterLayout.Bucket bucket = buckets.get(i);
      boolean here = communicator.rank() == root;
      MemorySegment whole = here ? arena.allocate(4 * bucket.elements(), 64) : MemorySegment.NULL;
      link.run(() -> exchange.collect(flat, index, root, whole));
      if (here) {
        forEachSlot(
            bucket,
            (name, slot) ->
                views.put(
                    name,
                    new TensorView(
                        name + suffix,
                        DType.F32,
                        shape(name),
                        whole.asSlice(4 * (slot.offset() - bucket.from()), 4 * slot.elements()))));
      }
    }
    return shapes.keySet().stream().filter(views::containsKey).map(views::get).toList();
  }

  /// What the leader writes into a bucket of an array.
  @FunctionalInterface
  interface Source {
    /// Writes weight `name` as fp32.
    void write(String name, MemorySegment target);
  }

  /// Hands out the weights that process 0 gives.
  void setWeights(Source source) {
    set(parameters.weights(), source);
  }

  /// Hands out the first moments that process 0 gives.
  void setFirstMoment(Source source) {
    set(parameters.firstMoment(), source);
  }

  /// Hands out the second moments that process 0 gives.
  void setSecondMoment(Source source) {
    set(parameters.secondMoment(), source);
  }

  private void set(Tensor flat, Source source) {
    for (int i = 0; i < buckets.size(); i++) {
      int index = i;
      ParameterLayout.Bucket bucket = buckets.get(i);
      try (Arena arena = Arena.ofShared()) {
        boolean here = communicator.rank() == 0;
        MemorySegment whole = here ? arena.allocate(4 * bucket.elements(), 64) : MemorySegment.NULL;
        if (here) {
          forEachSlot(
              bucket,
              (name, slot) -> {
                long at = 4 * (slot.offset() - bucket.from());
                source.write(name, whole.asSlice(at, 4 * slot.elements()));
              });
        }
        link.run(() -> exchange.distribute(whole, index, flat));
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
      write(directory, "model", Map.of("", parameters.weights()), writers, -1);
    } catch (IOException e) {
      failure = e;
    }
    requireAllWritten(directory, failure);
    try {
      write(directory, "optimizer", optimizerArrays(), writers, steps);
    } catch (IOException e) {
      failure = e;
    }
    requireAllWritten(directory, failure);
    if (communicator.rank() == 0) {
      writeIndex(directory, "model", List.of(""), writers);
      writeIndex(
          directory,
          "optimizer",
          List.of(ParameterFiles.FIRST_MOMENT, ParameterFiles.SECOND_MOMENT),
          writers);
    }
  }

  private void write(
      Path directory, String stem, Map<String, Tensor> arrays, int writers, long steps)
      throws IOException {
    try (Arena arena = Arena.ofShared()) {
      List<TensorView> views = new ArrayList<>();
      arrays.forEach((suffix, flat) -> views.addAll(collected(arena, flat, suffix, writers)));
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

  private void writeIndex(Path directory, String stem, List<String> suffixes, int writers)
      throws IOException {
    Map<String, String> fileOfTensor = new TreeMap<>();
    long bytes = 0;
    for (int i = 0; i < buckets.size(); i++) {
      String file = fileName(stem, i % writers, writers);
      for (String suffix : suffixes) {
        forEachSlot(buckets.get(i), (name, _) -> fileOfTensor.put(name + suffix, file));
      }
    }
    bytes += 4L * suffixes.size() * config.parameterCount();
    if (!suffixes.contains("")) {
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
