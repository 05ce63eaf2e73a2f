package moxin.model;

import java.util.Set;

/// Named tensors of an opened model file or directory, as borrowed views.
public sealed interface Checkpoint extends AutoCloseable
    permits SafetensorsCheckpoint, GgufCheckpoint, MemoryCheckpoint {

  /// Where the tensors come from, for messages: a path, or what made them.
  String origin();

  /// The names of all tensors, in file order.
  Set<String> names();

  /// The tensor `name`; the view is valid until this checkpoint is closed.
  ///
  /// @throws CheckpointFormatException if there is no such tensor
  TensorView tensor(String name);

  /// In which order the rows of the query and key projections are stored. Whoever computes with
  /// them in another order takes the rows that [RotaryOrder#rowsFrom] says.
  RotaryOrder rotaryOrder();

  @Override
  void close();
}
