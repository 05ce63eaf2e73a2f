package moxin.train.transformer;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import moxin.model.Checkpoint;
import moxin.model.CheckpointFormatException;
import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.model.Precision;
import moxin.model.TensorView;
import moxin.model.WeightNames;
import moxin.torch.Device;
import moxin.torch.Scope;
import moxin.torch.Tensor;

/// Parameters under the names and in the shapes that files use.
final class ParameterFiles implements AutoCloseable {
  static final String FIRST_MOMENT = ".exp_avg";
  static final String SECOND_MOMENT = ".exp_avg_sq";
  static final String STEP = "step";

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

  /// Sets one weight in fp32.
  void set(String name, float[] values) {
    set(parameters.weights(), name, values);
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
    addViews(views, parameters.weights(), "");
    return views;
  }

  List<TensorView> gradients() {
    freeHostCopies();
    List<TensorView> views = new ArrayList<>();
    addViews(views, parameters.gradient(), "");
    return views;
  }

  List<TensorView> optimizerState(long steps) {
    freeHostCopies();
    List<TensorView> views = new ArrayList<>();
    addViews(views, parameters.firstMoment(), FIRST_MOMENT);
    addViews(views, parameters.secondMoment(), SECOND_MOMENT);
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
    long steps = requireOptimizerState(checkpoint, shapes);
    for (String name : shapes.keySet()) {
      load(checkpoint, name + FIRST_MOMENT, parameters.firstMoment(), name);
      load(checkpoint, name + SECOND_MOMENT, parameters.secondMoment(), name);
    }
    return steps;
  }

  /// Checks that `checkpoint` has the state of an optimizer for `config`, and returns the number of
  /// steps it comes from.
  static long requireOptimizerState(Checkpoint checkpoint, ModelConfig config) {
    return requireOptimizerState(checkpoint, WeightNames.shapes(config));
  }

  private static long requireOptimizerState(Checkpoint checkpoint, Map<String, List<Long>> shapes) {
    shapes.forEach(
        (name, shape) -> {
          requireShape(checkpoint, name + FIRST_MOMENT, shape);
          requireShape(checkpoint, name + SECOND_MOMENT, shape);
        });
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

  @Override
  public void close() {
    freeHostCopies();
  }

  private void load(Checkpoint checkpoint, String name, Tensor flat, String parameter) {
    set(flat, parameter, Precision.widen(checkpoint.tensor(name)));
  }

  private static void requireShape(Checkpoint checkpoint, String name, List<Long> shape) {
    TensorView view = checkpoint.tensor(name);
    if (!view.shape().equals(shape)) {
      throw new CheckpointFormatException(
          checkpoint.origin() + ": " + name + " has shape " + view.shape() + ", expected " + shape);
    }
  }

  private void set(Tensor flat, String name, float[] values) {
    ParameterLayout.Slot slot = slots.apply(name);
    if (values.length != slot.elements()) {
      throw new IllegalArgumentException(
          name + " has " + slot.elements() + " elements, found " + values.length);
    }
    try (Scope _ = Scope.open()) {
      flat.view(slot.offset(), slot.elements())
          .copyFrom(Tensor.of(values, Device.CPU, values.length));
    }
  }

  private void addViews(List<TensorView> views, Tensor flat, String suffix) {
    MemorySegment data = onHost(flat).data();
    shapes.forEach(
        (name, shape) -> {
          ParameterLayout.Slot slot = slots.apply(name);
          MemorySegment part = data.asSlice(4 * slot.offset(), 4 * slot.elements());
          views.add(new TensorView(name + suffix, DType.F32, shape, part));
        });
  }

  private Tensor onHost(Tensor flat) {
    Tensor host = flat.to(Device.CPU);
    if (host != flat) {
      hostCopies.add(host);
    }
    return host;
  }

  private void freeHostCopies() {
    hostCopies.forEach(Tensor::close);
    hostCopies.clear();
  }
}
