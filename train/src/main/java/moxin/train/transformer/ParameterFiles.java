package moxin.train.transformer;

import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import moxin.model.Checkpoint;
import moxin.model.CheckpointFormatException;
import moxin.model.DType;
import moxin.model.Precision;
import moxin.model.TensorView;
import moxin.torch.Device;
import moxin.torch.Scope;
import moxin.torch.Tensor;

/// Parameters under the names and in the shapes that files use.
final class ParameterFiles implements AutoCloseable {
  static final String FIRST_MOMENT = ".exp_avg";
  static final String SECOND_MOMENT = ".exp_avg_sq";
  static final String STEP = "step";

  /// What a moment's name is followed by where the tensor holds the scales of its codes.
  static final String SCALES = "_scale";

  private final Map<String, List<Long>> shapes;
  private final Function<String, ParameterLayout.Slot> slots;
  private final Parameters parameters;

  /// Copies on the host of what [#weights] and [#optimizerState] gave, where the device is another.
  private final List<Tensor> hostCopies = new ArrayList<>();

  /// @param shapes of the parameters, in the order of files
  /// @param slots where each stands
  ParameterFiles(
      Map<String, List<Long>> shapes,
      Function<String, ParameterLayout.Slot> slots,
      Parameters parameters) {
    this.shapes = shapes;
    this.slots = slots;
    this.parameters = parameters;
  }

  void forEachName(Consumer<String> action) {
    shapes.keySet().forEach(action);
  }

  /// Sets one weight.
  void set(String name, float[] values) {
    ParameterLayout.Slot slot = slots.apply(name);
    if (values.length != slot.elements()) {
      throw new IllegalArgumentException(
          name + " has " + slot.elements() + " elements, found " + values.length);
    }
    try (Scope _ = Scope.open()) {
      parameters
          .weightArray()
          .view(slot.offset(), slot.elements())
          .copyFrom(Tensor.of(values, Device.CPU, values.length));
    }
  }

  /// One parameter of a flat array.
  float[] values(Tensor flat, String name) {
    ParameterLayout.Slot slot = slots.apply(name);
    try (Scope _ = Scope.open()) {
      return flat.view(slot.offset(), slot.elements()).toFloats();
    }
  }

  List<TensorView> weights() {
    freeHostCopies();
    List<TensorView> views = new ArrayList<>();
    addViews(views, parameters.weightArray(), "");
    return views;
  }

  List<TensorView> gradients() {
    freeHostCopies();
    List<TensorView> views = new ArrayList<>();
    addViews(views, FlatArray.of(parameters.gradient()), "");
    return views;
  }

  List<TensorView> optimizerState(long steps) {
    freeHostCopies();
    List<TensorView> views = new ArrayList<>();
    parameters.stateArrays().forEach((suffix, array) -> addViews(views, array, suffix));
    Tensor counter = Tensor.of(new long[] {steps}, Device.CPU, 1);
    hostCopies.add(counter);
    views.add(TensorView.of(STEP, DType.I64, counter.data(), 1));
    return views;
  }

  void loadWeights(Checkpoint checkpoint) {
    shapes.forEach((name, shape) -> requireShape(checkpoint, name, shape));
    for (String name : shapes.keySet()) {
      set(name, Precision.widen(checkpoint.tensor(name)));
    }
  }

  /// Loads the moments and returns the number of steps they come from.
  long loadOptimizerState(Checkpoint checkpoint) {
    Map<String, FlatArray> arrays = parameters.stateArrays();
    long steps = requireOptimizerState(checkpoint, shapes, arrays);
    for (String name : shapes.keySet()) {
      ParameterLayout.Slot slot = slots.apply(name);
      arrays.forEach(
          (suffix, array) -> {
            try (Scope _ = Scope.open()) {
              Tensor target = array.view(slot.offset(), slot.elements());
              Tensor host = Tensor.empty(target.type(), Device.CPU, target.elements());
              host.data().copyFrom(checkpoint.tensor(name + suffix).data());
              target.copyFrom(host);
            }
          });
    }
    return steps;
  }

  /// Checks that `checkpoint` has the state of an optimizer that keeps `arrays`, and returns the
  /// number of steps it comes from.
  static long requireOptimizerState(
      Checkpoint checkpoint, Map<String, List<Long>> shapes, Map<String, FlatArray> arrays) {
    shapes.forEach(
        (name, shape) ->
            arrays.forEach(
                (suffix, array) -> requireState(checkpoint, name + suffix, shape, array)));
    TensorView counter = checkpoint.tensor(STEP);
    if (counter.dtype() != DType.I64 || counter.elements() != 1) {
      throw new CheckpointFormatException(
          checkpoint.origin() + ": " + STEP + " is not one number of I64");
    }
    long steps = counter.data().get(ValueLayout.JAVA_LONG_UNALIGNED, 0);
    if (steps < 0) {
      throw new CheckpointFormatException(checkpoint.origin() + ": " + STEP + " is " + steps);
    }
    return steps;
  }

  private static void requireState(
      Checkpoint checkpoint, String name, List<Long> shape, FlatArray array) {
    requireShape(checkpoint, name, shapeOf(array, shape));
    DType found = checkpoint.tensor(name).dtype();
    DType expected = array.type(0);
    if (found != expected) {
      throw new CheckpointFormatException(
          checkpoint.origin()
              + ": "
              + name
              + " is "
              + found
              + ", expected "
              + expected
              + "; it was written with another optimizer.states");
    }
  }

  /// The shape in files of an array's numbers of a parameter of `shape`.
  static List<Long> shapeOf(FlatArray array, List<Long> shape) {
    return array.block() == 1
        ? shape
        : List.of(array.numbers(shape.stream().reduce(1L, Math::multiplyExact)));
  }

  @Override
  public void close() {
    freeHostCopies();
  }

  private static void requireShape(Checkpoint checkpoint, String name, List<Long> shape) {
    TensorView view = checkpoint.tensor(name);
    if (!view.shape().equals(shape)) {
      throw new CheckpointFormatException(
          checkpoint.origin() + ": " + name + " has shape " + view.shape() + ", expected " + shape);
    }
  }

  private void addViews(List<TensorView> views, FlatArray array, String suffix) {
    FlatArray host = array.onHost(hostCopies);
    shapes.forEach(
        (name, shape) -> {
          ParameterLayout.Slot slot = slots.apply(name);
          Place place = host.place(slot.offset(), slot.elements());
          DType type = host.type(slot.offset());
          views.add(new TensorView(name + suffix, type, shapeOf(host, shape), place.bytes()));
        });
  }

  private void freeHostCopies() {
    hostCopies.forEach(Tensor::close);
    hostCopies.clear();
  }
}
