package moxin.collective;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/// Sums over the processes of a job, added in the order of their ranks: the bits depend on the
/// numbers and the ranks alone. Keeps the memory that it receives into, and is used by one thread
/// at a time.
public final class RankOrderSum implements AutoCloseable {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
  private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED;
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
  private static final long ALIGNMENT = 64;

  private final Communicator communicator;
  private Arena arena = Arena.ofShared();
  private MemorySegment received = MemorySegment.NULL;

  /// Sums over the processes of `communicator`, which it borrows.
  public RankOrderSum(Communicator communicator) {
    this.communicator = communicator;
  }

  /// Adds to `sum` on each process its part of what the processes `[0, contributors)` hold in
  /// `source`, first that of process 0, then of process 1, and so on. Collective.
  ///
  /// @param source of `type`, as long on every contributor; not read on the others
  /// @param bounds `(size + 1)`: the part of process r is the elements `[bounds[r], bounds[r + 1])`
  /// @param contributors how many processes have something to add
  /// @param sum the own part, in the type of sums
  public void reduceScatter(
      MemorySegment source, long[] bounds, int contributors, ElementType type, MemorySegment sum) {
    int size = communicator.size();
    int own = communicator.rank();
    if (bounds.length != size + 1 || contributors < 0 || contributors > size) {
      throw new IllegalArgumentException(
          bounds.length + " bounds and " + contributors + " contributors among " + size);
    }
    long count = bounds[own + 1] - bounds[own];
    long bytes = count * type.bytes();
    if (sum.byteSize() != count * type.sumBytes()) {
      throw new IllegalArgumentException("a sum of " + count + " has " + sum.byteSize() + " bytes");
    }
    long stride = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    MemorySegment room = room(stride * size);
    List<MemorySegment> send = new ArrayList<>();
    List<MemorySegment> receive = new ArrayList<>();
    for (int rank = 0; rank < size; rank++) {
      boolean sends = own < contributors && rank != own;
      boolean receives = rank < contributors && rank != own;
      send.add(sends ? part(source, bounds, rank, type) : MemorySegment.NULL);
      receive.add(receives ? room.asSlice(rank * stride, bytes) : MemorySegment.NULL);
    }
    communicator.exchange(send, receive);
    for (int rank = 0; rank < contributors; rank++) {
      add(sum, rank == own ? part(source, bounds, own, type) : receive.get(rank), type);
    }
  }

  /// `sum += part`, element by element.
  private static void add(MemorySegment sum, MemorySegment part, ElementType type) {
    long count = part.byteSize() / type.bytes();
    switch (type) {
      case F32 -> {
        for (long i = 0; i < count; i++) {
          sum.set(FLOAT, 4 * i, sum.get(FLOAT, 4 * i) + part.get(FLOAT, 4 * i));
        }
      }
      case BF16 -> {
        for (long i = 0; i < count; i++) {
          float value = Float.intBitsToFloat(part.get(SHORT, 2 * i) << 16);
          sum.set(FLOAT, 4 * i, sum.get(FLOAT, 4 * i) + value);
        }
      }
      case F64 -> {
        for (long i = 0; i < count; i++) {
          sum.set(DOUBLE, 8 * i, sum.get(DOUBLE, 8 * i) + part.get(DOUBLE, 8 * i));
        }
      }
    }
  }

  private static MemorySegment part(
      MemorySegment source, long[] bounds, int rank, ElementType type) {
    return source.asSlice(
        bounds[rank] * type.bytes(), (bounds[rank + 1] - bounds[rank]) * type.bytes());
  }

  @SuppressWarnings("MustBeClosedChecker") // closed when it is replaced, or with this
  private MemorySegment room(long bytes) {
    if (received.byteSize() < bytes) {
      arena.close();
      arena = Arena.ofShared();
      received = arena.allocate(bytes, ALIGNMENT);
    }
    return received;
  }

  @Override
  public void close() {
    arena.close();
  }
}
