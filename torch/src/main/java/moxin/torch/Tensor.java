package moxin.torch;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import moxin.model.DType;
import org.jspecify.annotations.Nullable;

/// A tensor of libtorch: one native handle, closed by its [Scope] or earlier by [#close].
///
/// Views share memory, which lives as long as any of them. A tensor may be used by several threads
/// as long as none writes it; its scope belongs to one thread.
@SuppressWarnings("restricted") // this module calls native code
public final class Tensor implements AutoCloseable {
  private static final AtomicLong LIVE = new AtomicLong();
  private static final AtomicLong LIVE_BYTES = new AtomicLong();

  private final long allocatedBytes;
  private long handle;
  private @Nullable Scope owner;

  Tensor(long handle) {
    this(handle, 0);
  }

  private Tensor(long handle, long allocatedBytes) {
    this.handle = handle;
    this.allocatedBytes = allocatedBytes;
    this.owner = Scope.current();
    if (owner != null) {
      owner.add(this);
    }
    LIVE.incrementAndGet();
    LIVE_BYTES.addAndGet(allocatedBytes);
  }

  /// A tensor whose elements are not set.
  public static Tensor empty(DType type, Device device, long... shape) {
    CallBuffers buffers = CallBuffers.current();
    buffers.describe(shape);
    Operator.check(
        "empty" + Arrays.toString(shape),
        () ->
            Abi.emptyStrided(
                shape.length,
                buffers.sizes,
                buffers.strides,
                ScalarTypes.code(type),
                device.kind().code(),
                device.index(),
                buffers.result));
    return new Tensor(buffers.resultWord(), type.byteSize(product(shape)));
  }

  /// A tensor of zeros.
  public static Tensor zeros(DType type, Device device, long... shape) {
    Tensor tensor = empty(type, device, shape);
    Aten.zero(tensor);
    return tensor;
  }

  /// A fp32 copy of `values` on `device`.
  public static Tensor of(float[] values, Device device, long... shape) {
    requireElements(values.length, shape);
    Tensor host = empty(DType.F32, Device.CPU, shape);
    MemorySegment.copy(values, 0, host.data(), ValueLayout.JAVA_FLOAT, 0, values.length);
    return host.to(device);
  }

  /// An int64 copy of `values` on `device`.
  public static Tensor of(long[] values, Device device, long... shape) {
    requireElements(values.length, shape);
    Tensor host = empty(DType.I64, Device.CPU, shape);
    MemorySegment.copy(values, 0, host.data(), ValueLayout.JAVA_LONG, 0, values.length);
    return host.to(device);
  }

  /// A tensor on the CPU over borrowed memory, which must outlive it and every view of it.
  public static Tensor wrap(MemorySegment memory, DType type, long... shape) {
    requireElements(memory.byteSize() / type.byteSize(), shape);
    CallBuffers buffers = CallBuffers.current();
    buffers.describe(shape);
    Operator.check(
        "wrap",
        () ->
            Abi.createFromBlob(
                memory,
                shape.length,
                buffers.sizes,
                buffers.strides,
                0,
                ScalarTypes.code(type),
                Device.Kind.CPU.code(),
                0,
                buffers.result,
                0,
                MemorySegment.NULL,
                0));
    return new Tensor(buffers.resultWord());
  }

  /// How many tensors of this process are open.
  public static long liveCount() {
    return LIVE.get();
  }

  /// How many bytes the open tensors of this process hold that were made by [#empty] and [#zeros];
  /// results of operators are not counted.
  public static long liveBytes() {
    return LIVE_BYTES.get();
  }

  /// Another view of the same memory.
  ///
  /// @param offset in elements, from where this view begins
  public Tensor view(long offset, long[] shape, long[] strides) {
    CallBuffers buffers = CallBuffers.current();
    for (int i = 0; i < shape.length; i++) {
      buffers.sizes.setAtIndex(ValueLayout.JAVA_LONG, i, shape[i]);
      buffers.strides.setAtIndex(ValueLayout.JAVA_LONG, i, strides[i]);
    }
    Operator.check(
        "view",
        () ->
            Abi.reinterpret(
                handle(), shape.length, buffers.sizes, buffers.strides, offset, buffers.result));
    return new Tensor(buffers.resultWord());
  }

  /// A contiguous view of `shape` from element `offset` on.
  public Tensor view(long offset, long... shape) {
    long[] strides = new long[shape.length];
    long stride = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= shape[i];
    }
    return view(offset, shape, strides);
  }

  /// The transposed view `(C, R)` of a contiguous matrix `(R, C)`.
  public Tensor transposed() {
    long[] shape = shape();
    if (shape.length != 2) {
      throw new IllegalArgumentException("no matrix: " + Arrays.toString(shape));
    }
    return view(0, new long[] {shape[1], shape[0]}, new long[] {1, shape[1]});
  }

  /// This tensor where it is on `device`, else a copy there.
  public Tensor to(Device device) {
    if (device.equals(device())) {
      return this;
    }
    Tensor copy = empty(type(), device, shape());
    copy.copyFrom(this);
    return copy;
  }

  /// Overwrites the elements by those of `source`, converting their type and crossing devices.
  public void copyFrom(Tensor source) {
    Operator.check("copy_", () -> Abi.copy(handle(), source.handle(), 0));
  }

  /// The element type.
  public DType type() {
    CallBuffers buffers = CallBuffers.current();
    Operator.check("dtype", () -> Abi.type(handle(), buffers.result));
    return ScalarTypes.of(buffers.resultInt());
  }

  /// The device.
  public Device device() {
    CallBuffers buffers = CallBuffers.current();
    Operator.check("device", () -> Abi.deviceType(handle(), buffers.result));
    if (buffers.resultInt() == Device.Kind.CPU.code()) {
      return Device.CPU;
    }
    Operator.check("device", () -> Abi.deviceIndex(handle(), buffers.result));
    return Device.cuda(buffers.resultInt());
  }

  /// The shape.
  public long[] shape() {
    CallBuffers buffers = CallBuffers.current();
    Operator.check("dim", () -> Abi.dimensions(handle(), buffers.result));
    long dimensions = buffers.resultWord();
    Operator.check("sizes", () -> Abi.sizes(handle(), buffers.result));
    return MemorySegment.ofAddress(buffers.resultWord())
        .reinterpret(8 * dimensions)
        .toArray(ValueLayout.JAVA_LONG);
  }

  /// The number of elements.
  public long elements() {
    CallBuffers buffers = CallBuffers.current();
    Operator.check("numel", () -> Abi.elements(handle(), buffers.result));
    return buffers.resultWord();
  }

  /// The address of the first element; on a GPU, an address of its memory.
  public long address() {
    CallBuffers buffers = CallBuffers.current();
    Operator.check("data_ptr", () -> Abi.dataPointer(handle(), buffers.result));
    return buffers.resultWord();
  }

  /// The elements of a contiguous tensor on the CPU as borrowed memory, valid while a tensor of the
  /// same memory is open.
  public MemorySegment data() {
    if (!device().isHost()) {
      throw new IllegalStateException("the tensor is on " + device());
    }
    return MemorySegment.ofAddress(address()).reinterpret(elements() * type().byteSize());
  }

  /// A copy of the elements in fp32, row by row.
  public float[] toFloats() {
    try (Scope _ = Scope.open()) {
      Tensor host = empty(DType.F32, Device.CPU, shape());
      host.copyFrom(this);
      return host.data().toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  /// The one element of a tensor.
  public double item() {
    if (elements() != 1) {
      throw new IllegalStateException("the tensor has " + elements() + " elements");
    }
    try (Scope _ = Scope.open()) {
      Tensor host = empty(DType.F64, Device.CPU);
      host.copyFrom(view(0));
      return host.data().get(ValueLayout.JAVA_DOUBLE, 0);
    }
  }

  /// Whether [#close] has not been called.
  public boolean isOpen() {
    return handle != 0;
  }

  @Override
  public void close() {
    if (handle != 0) {
      long closing = handle;
      handle = 0;
      LIVE.decrementAndGet();
      LIVE_BYTES.addAndGet(-allocatedBytes);
      Operator.check("delete", () -> Abi.deleteTensor(closing));
    }
  }

  long handle() {
    if (handle == 0) {
      throw new IllegalStateException("the tensor is closed");
    }
    return handle;
  }

  @Nullable Scope owner() {
    return owner;
  }

  void ownedBy(@Nullable Scope scope) {
    owner = scope;
  }

  private static void requireElements(long count, long... shape) {
    if (product(shape) != count) {
      throw new IllegalArgumentException(
          count + " elements given for the shape " + Arrays.toString(shape));
    }
  }

  private static long product(long... shape) {
    long product = 1;
    for (long size : shape) {
      product = Math.multiplyExact(product, size);
    }
    return product;
  }
}
