package moxin.model;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Tensors that are already in memory, such as a trainer's. The memory stays its owner's: closing
/// this checkpoint frees nothing.
public final class MemoryCheckpoint implements Checkpoint {
  private final String origin;
  private final Map<String, TensorView> tensors;

  private final RotaryOrder rotaryOrder;

  private MemoryCheckpoint(
      String origin, Map<String, TensorView> tensors, RotaryOrder rotaryOrder) {
    this.origin = origin;
    this.tensors = tensors;
    this.rotaryOrder = rotaryOrder;
  }

  /// A checkpoint of `tensors`, in their order, with query and key rows in half-split order.
  ///
  /// @param origin names it in messages
  /// @throws IllegalArgumentException if two tensors have one name
  public static MemoryCheckpoint of(String origin, List<TensorView> tensors) {
    return of(origin, tensors, RotaryOrder.HALF_SPLIT);
  }

  /// A checkpoint of `tensors`, in their order.
  ///
  /// @param origin names it in messages
  /// @throws IllegalArgumentException if two tensors have one name
  public static MemoryCheckpoint of(
      String origin, List<TensorView> tensors, RotaryOrder rotaryOrder) {
    Map<String, TensorView> byName = new LinkedHashMap<>();
    for (TensorView tensor : tensors) {
      if (byName.put(tensor.name(), tensor) != null) {
        throw new IllegalArgumentException("two tensors are called " + tensor.name());
      }
    }
    return new MemoryCheckpoint(origin, byName, rotaryOrder);
  }

  @Override
  public String origin() {
    return origin;
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(tensors.keySet());
  }

  @Override
  public TensorView tensor(String name) {
    TensorView tensor = tensors.get(name);
    if (tensor == null) {
      throw new CheckpointFormatException(origin + ": no tensor " + name);
    }
    return tensor;
  }

  @Override
  public RotaryOrder rotaryOrder() {
    return rotaryOrder;
  }

  @Override
  public void close() {}
}
