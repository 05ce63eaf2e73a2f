package moxin.train.transformer;

import java.util.List;
import moxin.model.DType;
import moxin.torch.Device;
import moxin.torch.Tensor;
import moxin.train.OptimizerStates;

/// One number for every parameter, or for every block of them, by the parameters' positions.
///
/// @param head those before position `split`
/// @param tail the others
/// @param block how many parameters share a number
record FlatArray(Tensor head, long split, Tensor tail, int block) {

  /// A number for every parameter, in one tensor.
  static FlatArray of(Tensor flat) {
    return new FlatArray(flat, Long.MAX_VALUE, flat, 1);
  }

  /// A number for every block of a moment.
  static FlatArray ofBlocks(Tensor scales) {
    return new FlatArray(scales, Long.MAX_VALUE, scales, OptimizerStates.BLOCK);
  }

  /// The type of the numbers from position `at` on.
  DType type(long at) {
    return of(at).type();
  }

  /// How many numbers `count` parameters have.
  long numbers(long count) {
    return Math.ceilDiv(count, block);
  }

  /// The numbers of parameters `[at, at + count)`.
  Place place(long at, long count) {
    return new Place(of(at), index(at), numbers(count));
  }

  /// As [#place], as a tensor.
  Tensor view(long at, long count) {
    return of(at).view(index(at), numbers(count));
  }

  /// The same in host memory; what had to be copied is added to `copies`.
  FlatArray onHost(List<Tensor> copies) {
    Tensor first = onHost(head, copies);
    return new FlatArray(first, split, tail == head ? first : onHost(tail, copies), block);
  }

  private static Tensor onHost(Tensor flat, List<Tensor> copies) {
    Tensor host = flat.to(Device.CPU);
    if (host != flat) {
      copies.add(host);
    }
    return host;
  }

  private Tensor of(long at) {
    return at < split ? head : tail;
  }

  private long index(long at) {
    return (at < split ? at : at - split) / block;
  }
}
