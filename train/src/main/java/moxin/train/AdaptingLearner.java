package moxin.train;

import moxin.train.adapter.AdapterMemory;
import moxin.train.adapter.AdapterSettings;

/// A learner that trains low-rank additions to a model whose own weights stay as they are. Its
/// [#weights] and [#loadWeights] are the adapter's tensors under PEFT's names.
public interface AdaptingLearner extends Learner {

  /// The shape of the adapter.
  AdapterSettings adapter();

  /// The memory that batches of at most `rows` rows of `length` positions take, on the CPU.
  AdapterMemory memory(int rows, int length);
}
