package moxin.train.transformer;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import moxin.collective.Communicator;
import moxin.collective.ElementType;
import moxin.collective.RankOrderSum;
import moxin.model.DType;

/// Moves buckets between the processes that own their parts. Every method is collective and runs on
/// the thread of a [RankLink].
final class ShardExchange implements AutoCloseable {
  private final Communicator communicator;
  private final ShardedParameters parameters;
  private final RankOrderSum sums;

  ShardExchange(Communicator communicator, ShardedParameters parameters) {
    this.communicator = communicator;
    this.parameters = parameters;
    this.sums = new RankOrderSum(communicator);
  }

  /// Completes the weights of bucket `index` to compute with.
  void gather(int index) {
    Place whole = parameters.computed(index);
    communicator.allGather(parameters.published(index).bytes(), parts(whole.bytes(), index, 1));
  }

  /// Completes the gradient of bucket `index`, where every process updates all of it.
  void gatherGradient(int index) {
    ParameterLayout.Bucket bucket = parameters.shards().buckets().get(index);
    Place whole = new Place(parameters.gradient(), bucket.from(), bucket.elements());
    Place own = parameters.owned(gradient(), index);
    communicator.allGather(own.bytes(), parts(whole.bytes(), index, 1));
  }

  /// Adds to the own part of bucket `index` those of the first `contributors` processes, in order.
  void reduce(int index, Place gradient, int contributors) {
    ElementType type = gradient.flat().type() == DType.F32 ? ElementType.F32 : ElementType.BF16;
    sums.reduceScatter(
        gradient.bytes(),
        parameters.shards().bounds(index),
        contributors,
        type,
        parameters.owned(gradient(), index).bytes());
  }

  /// Brings all of bucket `index` of a flat array to process `root`.
  ///
  /// @param whole where to, read on `root` only
  void collect(FlatArray array, int index, int root, MemorySegment whole) {
    ParameterLayout.Bucket bucket = parameters.shards().buckets().get(index);
    if (!parameters.divided()) {
      if (communicator.rank() == root) {
        whole.copyFrom(array.place(bucket.from(), bucket.elements()).bytes());
      }
      return;
    }
    List<MemorySegment> send = nothing();
    List<MemorySegment> receive = nothing();
    send.set(root, parameters.owned(array, index).bytes());
    if (communicator.rank() == root) {
      receive = parts(whole, index, array.block());
    }
    communicator.exchange(send, receive);
  }

  /// Hands out bucket `index` of a flat array from process 0.
  ///
  /// @param whole where it is, read on process 0 only
  void distribute(MemorySegment whole, int index, FlatArray array) {
    ParameterLayout.Bucket bucket = parameters.shards().buckets().get(index);
    if (!parameters.divided()) {
      MemorySegment target = array.place(bucket.from(), bucket.elements()).bytes();
      if (communicator.rank() == 0) {
        target.copyFrom(whole);
      }
      communicator.broadcast(target, 0);
      return;
    }
    List<MemorySegment> receive = nothing();
    receive.set(0, parameters.owned(array, index).bytes());
    boolean leads = communicator.rank() == 0;
    communicator.exchange(leads ? parts(whole, index, array.block()) : nothing(), receive);
  }

  private List<MemorySegment> nothing() {
    return new ArrayList<>(Collections.nCopies(communicator.size(), MemorySegment.NULL));
  }

  private FlatArray gradient() {
    return FlatArray.of(parameters.gradient());
  }

  /// The parts of bucket `index` of an array that has a number for every `block` elements.
  private List<MemorySegment> parts(MemorySegment whole, int index, int block) {
    long[] bounds = parameters.shards().bounds(index);
    long numbers = Math.ceilDiv(bounds[bounds.length - 1], block);
    long size = numbers == 0 ? 0 : whole.byteSize() / numbers;
    List<MemorySegment> parts = new ArrayList<>();
    for (int rank = 0; rank < communicator.size(); rank++) {
      long from = Math.ceilDiv(bounds[rank], block);
      long to = Math.ceilDiv(bounds[rank + 1], block);
      parts.add(whole.asSlice(from * size, (to - from) * size));
    }
    return parts;
  }

  @Override
  public void close() {
    sums.close();
  }
}
