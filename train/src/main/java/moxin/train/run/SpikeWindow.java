package moxin.train.run;

import java.util.List;

/// What a spike is told from: the last good steps of the phase, the oldest first.
///
/// @param losses in nats
/// @param norms of the gradients
record SpikeWindow(List<Double> losses, List<Double> norms) {

  SpikeWindow {
    losses = List.copyOf(losses);
    norms = List.copyOf(norms);
  }
}
