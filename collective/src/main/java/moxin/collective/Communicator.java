package moxin.collective;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// The processes of one job, numbered from 0, and the movement of memory between them.
///
/// Every operation is collective: all processes call the same ones in the same order, from
/// whichever thread, one at a time. Memory is native and belongs to the caller, and must stay
/// untouched until the operation returns. Bytes are moved and never combined: sums are made by
/// [RankOrderSum].
///
/// Operations throw [CollectiveException] if a process is lost; nothing more can be exchanged then,
/// and what is left is [#abort].
public interface Communicator extends AutoCloseable {

  /// This process's number, from 0.
  int rank();

  /// How many processes there are.
  int size();

  /// Returns when every process has called it.
  void barrier();

  /// Overwrites `data` on every process by what it holds on `root`. Sizes agree everywhere.
  void broadcast(MemorySegment data, int root);

  /// Sends `send[r]` to process r and receives `receive[r]` from it, for all r; what a process
  /// sends itself is copied. Empty segments stand for nothing to send or to receive.
  ///
  /// @param send one segment per process; `send[r]` here is as long as `receive[this]` there
  /// @param receive one segment per process, none overlapping another or what is sent
  void exchange(List<MemorySegment> send, List<MemorySegment> receive);

  /// Brings `part` of every process to all.
  ///
  /// @param parts where the part of each process goes; the place for the own one may be `part`
  ///   itself
  default void allGather(MemorySegment part, List<MemorySegment> parts) {
    List<MemorySegment> send = new ArrayList<>(Collections.nCopies(size(), part));
    List<MemorySegment> receive = new ArrayList<>(parts);
    if (parts.get(rank()).address() == part.address()) {
      send.set(rank(), MemorySegment.NULL);
      receive.set(rank(), MemorySegment.NULL);
    }
    exchange(send, receive);
  }

  /// What this process has sent so far.
  Traffic traffic();

  /// Ends all processes of the job, this one included. Says nothing: whoever calls it has told the
  /// user why.
  void abort(int exitCode);

  /// Leaves the job. Collective where nothing has failed.
  @Override
  void close();
}
