package moxin.collective;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// What holds of every [Communicator], checked by all its processes together.
final class CommunicatorLaws {

  private CommunicatorLaws() {}

  /// Fails with an assertion on any process where something does not hold.
  static void check(Communicator communicator) {
    try (Arena arena = Arena.ofShared()) {
      for (int round = 0; round < 3; round++) {
        exchange(communicator, arena);
        for (int root = 0; root < communicator.size(); root++) {
          broadcast(communicator, arena, root, 257);
        }
        communicator.barrier();
      }
      broadcast(communicator, arena, 0, (9 << 20) + 13);
      for (ElementType type : ElementType.values()) {
        for (int contributors = 0; contributors <= communicator.size(); contributors++) {
          sum(communicator, arena, type, contributors);
        }
      }
    }
    communicator.barrier();
  }

  /// Every pair of processes exchanges a size of its own, none among them.
  private static void exchange(Communicator communicator, Arena arena) {
    List<MemorySegment> send = new ArrayList<>();
    List<MemorySegment> receive = new ArrayList<>();
    for (int other = 0; other < communicator.size(); other++) {
      MemorySegment out = arena.allocate(length(communicator.rank(), other));
      out.fill((byte) (10 * communicator.rank() + other + 1));
      send.add(out);
      receive.add(arena.allocate(length(other, communicator.rank())));
    }
    Traffic before = communicator.traffic();
    communicator.exchange(send, receive);
    long sent = 0;
    for (int other = 0; other < communicator.size(); other++) {
      sent += other == communicator.rank() ? 0 : length(communicator.rank(), other);
      for (byte value : receive.get(other).toArray(ValueLayout.JAVA_BYTE)) {
        require(value == 10 * other + communicator.rank() + 1, "bytes of " + other);
      }
    }
    require(communicator.traffic().since(before).exchangedBytes() == sent, "traffic");

    MemorySegment all = arena.allocate(4L * communicator.size(), 4);
    MemorySegment own = all.asSlice(4L * communicator.rank(), 4);
    own.set(ValueLayout.JAVA_INT, 0, communicator.rank() * 7);
    List<MemorySegment> parts = new ArrayList<>();
    for (int other = 0; other < communicator.size(); other++) {
      parts.add(all.asSlice(4L * other, 4));
    }
    communicator.allGather(own, parts);
    for (int other = 0; other < communicator.size(); other++) {
      require(all.getAtIndex(ValueLayout.JAVA_INT, other) == other * 7, "gathered " + other);
    }
  }

  private static long length(int from, int to) {
    return from == 1 && to == 0 ? 0 : 1 + 300_007L * from + 33L * to;
  }

  private static void broadcast(Communicator communicator, Arena arena, int root, int size) {
    byte[] expected = new byte[size];
    new Random(root + 5L).nextBytes(expected);
    MemorySegment data = arena.allocate(size);
    if (communicator.rank() == root) {
      data.copyFrom(MemorySegment.ofArray(expected));
    }
    Traffic before = communicator.traffic();
    communicator.broadcast(data, root);
    require(Arrays.equals(data.toArray(ValueLayout.JAVA_BYTE), expected), "broadcast");
    long counted = communicator.traffic().since(before).broadcastBytes();
    require(counted == (communicator.rank() == root ? size : 0), "traffic of a broadcast");
  }

  /// The sums have the bits of additions in rank order, which differ from those in another order.
  private static void sum(
      Communicator communicator, Arena arena, ElementType type, int contributors) {
    long[] bounds = {0, 13, 13, 257, 4097, 4098, 4131, 4139};
    bounds = Arrays.copyOf(bounds, communicator.size() + 1);
    int total = (int) bounds[communicator.size()];
    double[][] values = new double[communicator.size()][];
    for (int rank = 0; rank < values.length; rank++) {
      Random random = new Random(31L * rank + 7);
      values[rank] =
          random.doubles(total, -1, 1).map(x -> x * Math.pow(2, random.nextInt(20))).toArray();
    }
    MemorySegment source = arena.allocate((long) total * type.bytes(), 8);
    for (int i = 0; i < total; i++) {
      put(source, i, values[communicator.rank()][i], type);
    }
    int from = (int) bounds[communicator.rank()];
    int count = (int) bounds[communicator.rank() + 1] - from;
    MemorySegment sum = arena.allocate((long) count * type.sumBytes(), 8);
    try (RankOrderSum sums = new RankOrderSum(communicator)) {
      sums.reduceScatter(source, bounds, contributors, type, sum);
      sums.reduceScatter(source, bounds, contributors, type, sum);
    }
    for (int i = 0; i < count; i++) {
      double exact = 0;
      float single = 0;
      for (int round = 0; round < 2; round++) {
        for (int rank = 0; rank < contributors; rank++) {
          double value = values[rank][from + i];
          exact += value;
          single += type == ElementType.BF16 ? truncated(value) : (float) value;
        }
      }
      if (type == ElementType.F64) {
        require(sum.getAtIndex(ValueLayout.JAVA_DOUBLE, i) == exact, "sum of " + type);
      } else {
        require(sum.getAtIndex(ValueLayout.JAVA_FLOAT, i) == single, "sum of " + type);
      }
    }
  }

  private static float truncated(double value) {
    return Float.intBitsToFloat(Float.floatToRawIntBits((float) value) & 0xFFFF0000);
  }

  private static void put(MemorySegment source, int i, double value, ElementType type) {
    switch (type) {
      case F32 -> source.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) value);
      case BF16 ->
          source.setAtIndex(
              ValueLayout.JAVA_SHORT, i, (short) (Float.floatToRawIntBits((float) value) >>> 16));
      case F64 -> source.setAtIndex(ValueLayout.JAVA_DOUBLE, i, value);
    }
  }

  private static void require(boolean condition, String what) {
    if (!condition) {
      throw new AssertionError(what);
    }
  }
}
