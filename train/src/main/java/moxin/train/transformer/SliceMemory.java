package moxin.train.transformer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;
import moxin.model.ModelConfig;
import moxin.torch.Scope;
import moxin.torch.Tensor;

/// The workspaces of threads and the gradients of slices, made when first needed and kept for the
/// next step. Those of another sequence length are freed first.
///
/// @param <G> the gradient of a slice
final class SliceMemory<G> implements AutoCloseable {
  private final ModelConfig config;
  private final LearnerOptions options;
  private final Kernels kernels;
  private final LongFunction<G> newGradient;
  private final List<List<Workspace>> workspaces = new ArrayList<>();
  private final List<G> gradients = new ArrayList<>();
  private final List<Tensor> gradientTensors = new ArrayList<>();
  private int positions;

  /// Memory for passes that leave gradients which `newGradient` makes, for at most so many
  /// positions.
  SliceMemory(
      ModelConfig config,
      LearnerOptions options,
      Execution execution,
      LongFunction<G> newGradient) {
    this.config = config;
    this.options = options;
    this.kernels = execution.kernels();
    this.newGradient = newGradient;
    for (int i = 0; i < execution.threads(); i++) {
      workspaces.add(new ArrayList<>());
    }
  }

  /// Memory for passes that leave the gradients of all weights.
  static SliceMemory<SliceGradient> ofAllWeights(
      ModelConfig config, LearnerOptions options, Execution execution, ParameterLayout layout) {
    return new SliceMemory<>(
        config,
        options,
        execution,
        positions ->
            SliceGradient.create(
                layout, config.hiddenSize(), options.computeType(), options.device(), positions));
  }

  /// The workspace of thread `worker` for the shape of `slice`; called by that thread.
  Workspace workspace(int worker, SliceBatch slice) {
    List<Workspace> own = workspaces.get(worker);
    own.removeIf(
        workspace -> {
          boolean other = workspace.length() != slice.length();
          if (other) {
            workspace.close();
          }
          return other;
        });
    for (Workspace workspace : own) {
      if (workspace.rows() == slice.rows()) {
        return workspace;
      }
    }
    Workspace created =
        Workspace.create(
            config,
            slice.rows(),
            slice.length(),
            options.computeType(),
            options.device(),
            kernels,
            options.activationMemory());
    own.add(created);
    return created;
  }

  /// A gradient for each slice.
  List<G> gradients(List<SliceBatch> slices) {
    int needed = slices.stream().mapToInt(SliceBatch::positions).max().orElse(0);
    if (needed > positions) {
      closeGradients();
      positions = needed;
    }
    while (gradients.size() < slices.size()) {
      try (Scope scope = Scope.open()) {
        gradients.add(newGradient.apply(positions));
        gradientTensors.addAll(scope.detach());
      }
    }
    return gradients.subList(0, slices.size());
  }

  @Override
  public void close() {
    workspaces.forEach(own -> own.forEach(Workspace::close));
    workspaces.forEach(List::clear);
    closeGradients();
  }

  private void closeGradients() {
    gradientTensors.forEach(Tensor::close);
    gradientTensors.clear();
    gradients.clear();
  }
}
