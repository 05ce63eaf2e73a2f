package moxin.collective;

import java.lang.foreign.MemorySegment;
import java.util.List;

/// Checks of what is handed to a communicator.
final class Arguments {

  private Arguments() {}

  static void requireRank(int rank, int size) {
    if (rank < 0 || rank >= size) {
      throw new IllegalArgumentException("no process " + rank + " among " + size);
    }
  }

  static void requirePairs(
      Communicator communicator, List<MemorySegment> send, List<MemorySegment> receive) {
    if (send.size() != communicator.size() || receive.size() != communicator.size()) {
      throw new IllegalArgumentException(
          "an exchange among "
              + communicator.size()
              + " processes has "
              + send.size()
              + " segments to send and "
              + receive.size()
              + " to receive");
    }
    int own = communicator.rank();
    if (send.get(own).byteSize() != receive.get(own).byteSize()) {
      throw new IllegalArgumentException(
          "process "
              + own
              + " sends itself "
              + send.get(own).byteSize()
              + " bytes and expects "
              + receive.get(own).byteSize());
    }
    send.forEach(Arguments::requireNative);
    receive.forEach(Arguments::requireNative);
  }

  static void requireNative(MemorySegment segment) {
    if (!segment.isNative() && segment.byteSize() > 0) {
      throw new IllegalArgumentException("only native memory can be exchanged");
    }
  }
}
