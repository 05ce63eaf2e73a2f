package moxin.train.transformer;

import java.util.ArrayList;
import java.util.List;
import moxin.train.OptimizerStates;

/// Which process owns which parameters: every bucket is cut into as many parts as there are
/// processes, so that each works on all buckets. Parts consist of whole pieces; some may be empty.
final class ShardLayout {
  /// A multiple of what any parameter begins at.
  private static final long ALIGNMENT = OptimizerStates.BLOCK;

  private final List<ParameterLayout.Bucket> buckets;
  private final int ranks;

  ShardLayout(ParameterLayout layout, int ranks) {
    this.buckets = layout.buckets();
    this.ranks = ranks;
  }

  /// Part of a bucket.
  ///
  /// @param from its first parameter element, and `to` the one after its last
  /// @param at where it begins in its owner's flat arrays
  record Part(ParameterLayout.Bucket bucket, long from, long to, long at) {
    long elements() {
      return to - from;
    }
  }

  int ranks() {
    return ranks;
  }

  List<ParameterLayout.Bucket> buckets() {
    return buckets;
  }

  /// Where the parts of bucket `index` begin, counted from its first element; its length last.
  long[] bounds(int index) {
    ParameterLayout.Bucket bucket = buckets.get(index);
    long[] bounds = new long[ranks + 1];
    for (int rank = 0; rank < ranks; rank++) {
      bounds[rank] = bucket.pieces() * rank / ranks * bucket.piece();
    }
    bounds[ranks] = bucket.elements();
    return bounds;
  }

  /// The parts of process `rank`, one of each bucket, one behind the other in its arrays.
  List<Part> compactParts(int rank) {
    List<Part> parts = new ArrayList<>();
    long at = 0;
    for (int i = 0; i < buckets.size(); i++) {
      Part part = part(i, rank, at);
      parts.add(part);
      at = end(part);
    }
    return List.copyOf(parts);
  }

  /// The parts of process `rank`, one of each bucket, where the parameter layout has them.
  List<Part> spreadParts(int rank) {
    List<Part> parts = new ArrayList<>();
    for (int i = 0; i < buckets.size(); i++) {
      parts.add(part(i, rank, buckets.get(i).from() + bounds(i)[rank]));
    }
    return List.copyOf(parts);
  }

  /// How many elements the arrays of compact parts have.
  static long size(List<Part> parts) {
    return end(parts.getLast());
  }

  /// How many pieces process `rank` owns of bucket `index`.
  int pieces(int index, int rank) {
    long[] bounds = bounds(index);
    return Math.toIntExact(
        Math.ceilDiv(bounds[rank + 1] - bounds[rank], buckets.get(index).piece()));
  }

  private Part part(int index, int rank, long at) {
    ParameterLayout.Bucket bucket = buckets.get(index);
    long[] bounds = bounds(index);
    return new Part(bucket, bucket.from() + bounds[rank], bucket.from() + bounds[rank + 1], at);
  }

  private static long end(Part part) {
    return (part.at() + part.elements() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
