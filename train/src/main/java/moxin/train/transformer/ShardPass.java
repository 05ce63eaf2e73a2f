package moxin.train.transformer;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import moxin.train.ZeroStage;
import org.jspecify.annotations.Nullable;

/// Fetches weights and sends gradients while a slice passes: at stage 3 the layer after the present
/// one is fetched ahead; at every stage the gradient of a layer is sent while the layers before it
/// are computed. From stage 2 on two layers share the memory of gradients, and a third waits until
/// it is free.
///
/// A process without a slice walks through the layers all the same, since the others need its parts
/// and it needs their sums.
final class ShardPass implements LayerPass {
  private static final int NONE = -1;

  private final RankLink link;
  private final ShardExchange exchange;
  private final ShardedParameters parameters;
  private final int[] resident = {NONE, NONE};
  private final List<@Nullable Future<?>> fetches = new ArrayList<>();
  private final List<@Nullable Future<?>> reductions = new ArrayList<>();

  /// What the pass has sent or is to send.
  private final List<Future<?>> sent = new ArrayList<>();

  private @Nullable ShardGradients gradients;
  private int contributors;

  ShardPass(RankLink link, ShardExchange exchange, ShardedParameters parameters) {
    this.link = link;
    this.exchange = exchange;
    this.parameters = parameters;
    for (int i = 0; i < 2; i++) {
      fetches.add(null);
      reductions.add(null);
    }
  }

  /// Begins a pass that leaves gradients.
  ///
  /// @param slices how many processes, from the first on, have a slice
  void begin(ShardGradients into, int slices) {
    gradients = into;
    contributors = slices;
  }

  /// Sends what is still to be sent and waits until all has arrived.
  void finish() {
    ShardGradients written = gradients;
    if (written == null) {
      throw new IllegalStateException("no pass has begun");
    }
    reduce(parameters.norms(), written.norms());
    sent.forEach(RankLink::await);
    sent.clear();
    gradients = null;
  }

  /// The weights have changed: nothing fetched before is valid.
  void forgetWeights() {
    resident[0] = NONE;
    resident[1] = NONE;
  }

  @Override
  public void beforeForward(int layer) {
    fetch(layer, layer + 1);
  }

  @Override
  public void afterHead() {
    if (gradients != null) {
      reduce(parameters.head(), gradients.head());
    }
  }

  @Override
  public void beforeBackward(int layer) {
    fetch(layer, layer - 1);
    Future<?> earlier = reductions.get(layer % 2);
    if (earlier != null) {
      RankLink.await(earlier);
    }
  }

  @Override
  public void afterBackward(int layer) {
    if (gradients != null) {
      reduce(layer, gradients.layer(layer));
      if (gradients.windowed()) {
        reductions.set(layer % 2, sent.getLast());
      }
    }
  }

  /// Waits for the weights of `layer`, and asks for those of `next` where there is such a layer.
  private void fetch(int layer, int next) {
    if (parameters.stage() != ZeroStage.WEIGHTS) {
      return;
    }
    request(layer);
    Future<?> fetched = fetches.get(layer % 2);
    if (fetched != null) {
      RankLink.await(fetched);
    }
    if (next >= 0 && next < parameters.layers()) {
      request(next);
    }
  }

  private void request(int layer) {
    if (resident[layer % 2] != layer) {
      resident[layer % 2] = layer;
      fetches.set(layer % 2, link.submit(() -> exchange.gather(layer)));
    }
  }

  private void reduce(int bucket, Place gradient) {
    int count = contributors;
    sent.add(link.submit(() -> exchange.reduce(bucket, gradient, count)));
  }
}
