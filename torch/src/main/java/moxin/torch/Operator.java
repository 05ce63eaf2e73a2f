package moxin.torch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/// An ATen operator, called by its schema's name through libtorch's dispatcher.
///
/// Arguments are encoded as libtorch's `StableIValue` words. The dispatcher takes tensor arguments
/// over, so that it is given fresh handles; what it returns belongs to the caller.
final class Operator {
  private static final long VERSION = LibTorchVersion.OLDEST.abiVersion();

  private final String label;
  private final MemorySegment name;
  private final MemorySegment overload;

  Operator(String schema) {
    int dot = schema.indexOf('.');
    label = "aten::" + schema;
    name = Arena.global().allocateFrom("aten::" + (dot < 0 ? schema : schema.substring(0, dot)));
    overload = Arena.global().allocateFrom(dot < 0 ? "" : schema.substring(dot + 1));
  }

  /// A present optional argument.
  record Present(Object value) {}

  /// `value` as an optional argument.
  static Object present(Object value) {
    return new Present(value);
  }

  /// Calls the operator and returns its one result.
  Tensor call(@Nullable Object... arguments) {
    invoke(arguments);
    return new Tensor(CallBuffers.current().stack.get(ValueLayout.JAVA_LONG, 0));
  }

  /// Calls the operator and returns its first two results.
  Tensor[] callForTwo(@Nullable Object... arguments) {
    invoke(arguments);
    MemorySegment stack = CallBuffers.current().stack;
    return new Tensor[] {
      new Tensor(stack.getAtIndex(ValueLayout.JAVA_LONG, 0)),
      new Tensor(stack.getAtIndex(ValueLayout.JAVA_LONG, 1))
    };
  }

  /// Calls an in-place or `out=` operator; the alias that it returns is dropped.
  void callInPlace(@Nullable Object... arguments) {
    invoke(arguments);
    long alias = CallBuffers.current().stack.get(ValueLayout.JAVA_LONG, 0);
    check("delete", () -> Abi.deleteTensor(alias));
  }

  /// Calls an operator without results.
  void callForNothing(@Nullable Object... arguments) {
    invoke(arguments);
  }

  private void invoke(@Nullable Object... arguments) {
    check(label, () -> attempt(arguments));
  }

  /// Runs `call` and throws what libtorch says where it fails. A version that only prints its
  /// messages is made to say it again with standard error captured.
  static void check(String label, IntSupplier call) {
    if (call.getAsInt() == 0) {
      return;
    }
    String message =
        Abi.lastMessage()
            .or(() -> StandardErrorCapture.of(() -> ignore(call.getAsInt())))
            .map(Operator::firstLine)
            .orElse("failed; libtorch printed why to standard error");
    throw new TorchException(label + ": " + message);
  }

  private int attempt(@Nullable Object... arguments) {
    MemorySegment stack = CallBuffers.current().stack;
    stack.fill((byte) 0);
    for (int i = 0; i < arguments.length; i++) {
      stack.setAtIndex(ValueLayout.JAVA_LONG, i, encode(arguments[i]));
    }
    return Abi.callDispatcher(name, overload, stack, VERSION);
  }

  private static void ignore(int secondFailure) {
    assert secondFailure != 0 : "a failing call succeeded when repeated";
  }

  private static String firstLine(String message) {
    String line = message.lines().filter(text -> !text.isBlank()).findFirst().orElse(message);
    int reason = line.indexOf("Exception in aoti_torch: ");
    return reason < 0 ? line.strip() : line.substring(line.indexOf(": ", reason) + 2).strip();
  }

  private static long encode(@Nullable Object value) {
    return switch (value) {
      case null -> 0L;
      case Tensor tensor -> duplicate(tensor);
      case Long number -> number;
      case Integer number -> (long) number;
      case Boolean flag -> flag ? 1L : 0L;
      case Double number -> Double.doubleToRawLongBits(number);
      case moxin.model.DType type -> (long) ScalarTypes.code(type);
      case Present present -> Abi.box(encode(present.value()), CallBuffers.current().result);
      case long[] numbers -> {
        long list = newList(numbers.length);
        for (long number : numbers) {
          pushBack(list, number);
        }
        yield list;
      }
      case Tensor[] tensors -> {
        long list = newList(tensors.length);
        for (Tensor tensor : tensors) {
          pushBack(list, duplicate(tensor));
        }
        yield list;
      }
      default -> throw new IllegalArgumentException("cannot be passed to libtorch: " + value);
    };
  }

  private static long duplicate(Tensor tensor) {
    CallBuffers buffers = CallBuffers.current();
    int code = Abi.newTensorHandle(tensor.handle(), buffers.result);
    if (code != 0) {
      throw new TorchException("a tensor's handle could not be duplicated");
    }
    return buffers.resultWord();
  }

  private static long newList(int size) {
    CallBuffers buffers = CallBuffers.current();
    if (Abi.newList(size, buffers.result) != 0) {
      throw new TorchException("a list of arguments could not be made");
    }
    return buffers.resultWord();
  }

  private static void pushBack(long list, long element) {
    if (Abi.pushBack(list, element) != 0) {
      throw new TorchException("an argument could not be added to a list");
    }
  }
}
