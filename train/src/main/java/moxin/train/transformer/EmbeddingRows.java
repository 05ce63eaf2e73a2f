package moxin.train.transformer;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import moxin.collective.Communicator;
import moxin.model.DType;
import moxin.torch.Device;
import moxin.torch.Scope;
import moxin.torch.Tensor;

/// The gradient of the embedding. Each position's row is sent to the process that owns the row of
/// its id, instead of a table of mostly zeros; all processes know all ids, so that no ids are sent.
/// Rows are added in the order of slices and positions.
final class EmbeddingRows {
  private final Communicator communicator;
  private final ShardedParameters parameters;
  private final Kernels kernels;
  private final int hidden;
  private final long[] firstRow;

  EmbeddingRows(
      Communicator communicator, ShardedParameters parameters, Kernels kernels, int hidden) {
    this.communicator = communicator;
    this.parameters = parameters;
    this.kernels = kernels;
    this.hidden = hidden;
    this.firstRow = parameters.shards().bounds(parameters.embedding());
    for (int rank = 0; rank < firstRow.length; rank++) {
      firstRow[rank] /= hidden;
    }
  }

  /// Adds the rows of one slice of each of the first processes.
  ///
  /// @param ids of the slices, one array for each process that has one
  /// @param embedded `(N, C)` fp32 of the own slice; not read where there is none
  void add(List<int[]> ids, Tensor embedded) {
    int own = communicator.rank();
    try (Scope _ = Scope.open()) {
      List<MemorySegment> send = new ArrayList<>();
      List<MemorySegment> receive = new ArrayList<>();
      List<Tensor> rows = new ArrayList<>();
      List<int[]> rowIds = new ArrayList<>();
      for (int rank = 0; rank < communicator.size(); rank++) {
        send.add(own < ids.size() ? packed(ids.get(own), embedded, rank) : MemorySegment.NULL);
        int[] theirs = rank < ids.size() ? idsOf(ids.get(rank), own) : new int[0];
        Tensor room = Tensor.empty(DType.F32, Device.CPU, Math.max(1, theirs.length), hidden);
        receive.add(room.data().asSlice(0, 4L * theirs.length * hidden));
        rows.add(room);
        rowIds.add(theirs);
      }
      communicator.exchange(send, receive);
      Place target = parameters.owned(FlatArray.of(parameters.gradient()), parameters.embedding());
      Tensor table = target.flat().view(target.at(), target.elements() / hidden, hidden);
      for (int rank = 0; rank < ids.size(); rank++) {
        if (rowIds.get(rank).length > 0) {
          kernels.embedBackward(rows.get(rank), rowIds.get(rank), table, 0, 1);
        }
      }
    }
  }

  /// The ids whose rows process `rank` owns, counted from its first row.
  private int[] idsOf(int[] ids, int rank) {
    int[] found = new int[ids.length];
    int count = 0;
    for (int id : ids) {
      if (ownedBy(rank, id)) {
        found[count++] = id - (int) firstRow[rank];
      }
    }
    return java.util.Arrays.copyOf(found, count);
  }

  /// The rows of positions whose ids process `rank` owns.
  private MemorySegment packed(int[] ids, Tensor embedded, int rank) {
    int count = idsOf(ids, rank).length;
    if (count == 0) {
      return MemorySegment.NULL;
    }
    long bytes = 4L * hidden;
    MemorySegment all = embedded.data();
    MemorySegment packed = Tensor.empty(DType.F32, Device.CPU, count, hidden).data();
    int row = 0;
    for (int n = 0; n < ids.length; n++) {
      if (ownedBy(rank, ids[n])) {
        MemorySegment.copy(all, n * bytes, packed, row * bytes, bytes);
        row++;
      }
    }
    return packed;
  }

  private boolean ownedBy(int rank, int id) {
    return id >= firstRow[rank] && id < firstRow[rank + 1];
  }
}
