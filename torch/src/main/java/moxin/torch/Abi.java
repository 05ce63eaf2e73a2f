package moxin.torch;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The C functions of libtorch, one method each. Tensors and lists are handles (addresses); unless
/// said otherwise a function returns 0 or an error code.
///
/// The functions are found when this class is first used, which is after [LibTorch#load].
@SuppressWarnings("restricted") // this module calls native code
final class Abi {
  private static final Linker LINKER = Linker.nativeLinker();

  private static final MethodHandle CALL_DISPATCHER =
      find("torch_call_dispatcher", ADDRESS, ADDRESS, ADDRESS, JAVA_LONG);
  private static final MethodHandle NEW_TENSOR_HANDLE =
      find("aoti_torch_new_tensor_handle", JAVA_LONG, ADDRESS);
  private static final MethodHandle DELETE_TENSOR =
      find("aoti_torch_delete_tensor_object", JAVA_LONG);
  private static final MethodHandle EMPTY_STRIDED =
      find(
          "aoti_torch_empty_strided",
          JAVA_LONG,
          ADDRESS,
          ADDRESS,
          JAVA_INT,
          JAVA_INT,
          JAVA_INT,
          ADDRESS);
  private static final MethodHandle CREATE_FROM_BLOB =
      find(
          "aoti_torch_create_tensor_from_blob_v2",
          ADDRESS,
          JAVA_LONG,
          ADDRESS,
          ADDRESS,
          JAVA_LONG,
          JAVA_INT,
          JAVA_INT,
          JAVA_INT,
          ADDRESS,
          JAVA_INT,
          ADDRESS,
          JAVA_LONG);
  private static final MethodHandle REINTERPRET =
      find(
          "aoti_torch__reinterpret_tensor",
          JAVA_LONG,
          JAVA_LONG,
          ADDRESS,
          ADDRESS,
          JAVA_LONG,
          ADDRESS);
  private static final MethodHandle DATA_POINTER =
      find("aoti_torch_get_data_ptr", JAVA_LONG, ADDRESS);
  private static final MethodHandle ELEMENTS = find("aoti_torch_get_numel", JAVA_LONG, ADDRESS);
  private static final MethodHandle DIMENSIONS = find("aoti_torch_get_dim", JAVA_LONG, ADDRESS);
  private static final MethodHandle SIZES = find("aoti_torch_get_sizes", JAVA_LONG, ADDRESS);
  private static final MethodHandle STRIDES = find("aoti_torch_get_strides", JAVA_LONG, ADDRESS);
  private static final MethodHandle TYPE = find("aoti_torch_get_dtype", JAVA_LONG, ADDRESS);
  private static final MethodHandle DEVICE_TYPE =
      find("aoti_torch_get_device_type", JAVA_LONG, ADDRESS);
  private static final MethodHandle DEVICE_INDEX =
      find("aoti_torch_get_device_index", JAVA_LONG, ADDRESS);
  private static final MethodHandle COPY = find("aoti_torch_copy_", JAVA_LONG, JAVA_LONG, JAVA_INT);
  private static final MethodHandle MM_OUT =
      find("aoti_torch_mm_out", JAVA_LONG, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle ADDMM_OUT =
      find(
          "aoti_torch_addmm_out",
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_FLOAT,
          JAVA_FLOAT);
  private static final MethodHandle NEW_LIST =
      find("torch_new_list_reserve_size", JAVA_LONG, ADDRESS);
  private static final MethodHandle PUSH_BACK = find("torch_list_push_back", JAVA_LONG, JAVA_LONG);
  private static final MethodHandle ABI_VERSION =
      LINKER.downcallHandle(symbol("aoti_torch_abi_version"), FunctionDescriptor.of(JAVA_LONG));
  private static final MethodHandle SET_GRADIENT_MODE =
      LINKER.downcallHandle(
          symbol("aoti_torch_grad_mode_set_enabled"), FunctionDescriptor.ofVoid(JAVA_BOOLEAN));
  private static final MethodHandle NEW_OPERATOR = operatorNew();
  private static final @Nullable MethodHandle ADD_CPU = findAdd("cpu");
  private static final @Nullable MethodHandle ADD_CUDA = findAdd("cuda");
  private static final @Nullable MethodHandle NEW_VALUE =
      optional("torch_new_stable_ivalue", FunctionDescriptor.of(JAVA_INT, ADDRESS));
  private static final @Nullable MethodHandle WHAT =
      optional("torch_exception_get_what_without_backtrace", FunctionDescriptor.of(ADDRESS));
  private static final @Nullable MethodHandle SET_OPENMP_THREADS =
      optional("omp_set_num_threads", FunctionDescriptor.ofVoid(JAVA_INT));

  private Abi() {}

  static int callDispatcher(
      MemorySegment name, MemorySegment overload, MemorySegment stack, long version) {
    try {
      return (int) CALL_DISPATCHER.invokeExact(name, overload, stack, version);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int newTensorHandle(long tensor, MemorySegment result) {
    try {
      return (int) NEW_TENSOR_HANDLE.invokeExact(tensor, result);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int deleteTensor(long tensor) {
    try {
      return (int) DELETE_TENSOR.invokeExact(tensor);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int emptyStrided(
      long dimensions,
      MemorySegment sizes,
      MemorySegment strides,
      int type,
      int deviceType,
      int deviceIndex,
      MemorySegment result) {
    try {
      return (int)
          EMPTY_STRIDED.invokeExact(
              dimensions, sizes, strides, type, deviceType, deviceIndex, result);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int createFromBlob(
      MemorySegment data,
      long dimensions,
      MemorySegment sizes,
      MemorySegment strides,
      long offset,
      int type,
      int deviceType,
      int deviceIndex,
      MemorySegment result,
      int layout,
      MemorySegment metadata,
      long metadataSize) {
    try {
      return (int)
          CREATE_FROM_BLOB.invokeExact(
              data,
              dimensions,
              sizes,
              strides,
              offset,
              type,
              deviceType,
              deviceIndex,
              result,
              layout,
              metadata,
              metadataSize);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int reinterpret(
      long tensor,
      long dimensions,
      MemorySegment sizes,
      MemorySegment strides,
      long offsetIncrement,
      MemorySegment result) {
    try {
      return (int)
          REINTERPRET.invokeExact(tensor, dimensions, sizes, strides, offsetIncrement, result);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int dataPointer(long tensor, MemorySegment result) {
    try {
      return (int) DATA_POINTER.invokeExact(tensor, result);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int elements(long tensor, MemorySegment result) {
    try {
      return (int) ELEMENTS.invokeExact(tensor, result);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int dimensions(long tensor, MemorySegment result) {
    try {
      return (int) DIMENSIONS.invokeExact(tensor, result);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int sizes(long tensor, MemorySegment result) {
    try {
      return (int) SIZES.invokeExact(tensor, result);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int strides(long tensor, MemorySegment result) {
    try {
      return (int) STRIDES.invokeExact(tensor, result);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int type(long tensor, MemorySegment result) {
    try {
      return (int) TYPE.invokeExact(tensor, result);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int deviceType(long tensor, MemorySegment result) {
    try {
      return (int) DEVICE_TYPE.invokeExact(tensor, result);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int deviceIndex(long tensor, MemorySegment result) {
    try {
      return (int) DEVICE_INDEX.invokeExact(tensor, result);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int copy(long target, long source, int nonBlocking) {
    try {
      return (int) COPY.invokeExact(target, source, nonBlocking);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int mmOut(long out, long a, long b) {
    try {
      return (int) MM_OUT.invokeExact(out, a, b);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int addmmOut(long out, long self, long a, long b, float beta, float alpha) {
    try {
      return (int) ADDMM_OUT.invokeExact(out, self, a, b, beta, alpha);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int newList(long size, MemorySegment result) {
    try {
      return (int) NEW_LIST.invokeExact(size, result);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  static int pushBack(long list, long element) {
    try {
      return (int) PUSH_BACK.invokeExact(list, element);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /// The version of the loaded libtorch, see [LibTorchVersion].
  static long abiVersion() {
    try {
      return (long) ABI_VERSION.invokeExact();
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /// `a + alpha · b` as a new tensor.
  static int add(Device.Kind device, long a, long b, double alpha, MemorySegment result) {
    MethodHandle add = device == Device.Kind.CPU ? ADD_CPU : ADD_CUDA;
    if (add == null) {
      throw new LibTorchUnavailableException("the loaded libtorch has no addition on " + device);
    }
    try {
      return (int) add.invokeExact(a, b, alpha, result);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /// Switches automatic differentiation for this thread.
  static void setGradientMode(boolean enabled) {
    try {
      SET_GRADIENT_MODE.invokeExact(enabled);
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /// Sets how many threads OpenMP regions entered from this thread use, where OpenMP is there.
  static void setOpenMpThreads(int threads) {
    if (SET_OPENMP_THREADS != null) {
      try {
        SET_OPENMP_THREADS.invokeExact(threads);
      } catch (Throwable t) {
        throw unexpected(t);
      }
    }
  }

  /// Eight bytes from libtorch's allocator holding `value`, to be freed by the callee.
  static long box(long value, MemorySegment scratch) {
    try {
      MemorySegment box;
      if (NEW_VALUE != null) {
        int code = (int) NEW_VALUE.invokeExact(scratch);
        if (code != 0) {
          throw new TorchException("libtorch could not allocate an optional argument");
        }
        box = scratch.get(ADDRESS, 0);
      } else {
        box = (MemorySegment) NEW_OPERATOR.invokeExact(8L);
      }
      box.reinterpret(8).set(JAVA_LONG, 0, value);
      return box.address();
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /// The message of this thread's last error, where the loaded version tells it.
  static Optional<String> lastMessage() {
    if (WHAT == null) {
      return Optional.empty();
    }
    try {
      MemorySegment text = (MemorySegment) WHAT.invokeExact();
      return Optional.of(text.reinterpret(1 << 20).getString(0));
    } catch (Throwable t) {
      throw unexpected(t);
    }
  }

  /// What a native call threw: a downcall itself throws nothing checked.
  static RuntimeException unexpected(Throwable t) {
    return switch (t) {
      case RuntimeException e -> e;
      case Error e -> throw e;
      default -> new IllegalStateException("native call failed", t);
    };
  }

  private static MethodHandle find(String name, MemoryLayout... arguments) {
    return LINKER.downcallHandle(symbol(name), FunctionDescriptor.of(JAVA_INT, arguments));
  }

  private static @Nullable MethodHandle findAdd(String device) {
    return optional(
        "aoti_torch_" + device + "_add_Tensor",
        FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_DOUBLE, ADDRESS));
  }

  private static @Nullable MethodHandle optional(String name, FunctionDescriptor descriptor) {
    return LibTorch.symbols()
        .find(name)
        .map(symbol -> LINKER.downcallHandle(symbol, descriptor))
        .orElse(null);
  }

  private static MemorySegment symbol(String name) {
    return LibTorch.symbols()
        .find(name)
        .orElseThrow(
            () ->
                new LibTorchUnavailableException(
                    "the loaded libtorch has no function "
                        + name
                        + "; PyTorch "
                        + LibTorchVersion.OLDEST
                        + " or later is needed"));
  }

  /// `operator new` of the C++ runtime, with which versions before 2.13 expect boxes to be made.
  private static MethodHandle operatorNew() {
    FunctionDescriptor descriptor = FunctionDescriptor.of(ADDRESS, JAVA_LONG);
    String mangled =
        System.getProperty("os.name").startsWith("Windows") ? "??2@YAPEAX_K@Z" : "_Znwm";
    MemorySegment symbol =
        LibTorch.symbols()
            .find(mangled)
            .orElseGet(
                () ->
                    SymbolLookup.libraryLookup(cppRuntime(), Arena.global()).findOrThrow(mangled));
    return LINKER.downcallHandle(symbol, descriptor);
  }

  private static String cppRuntime() {
    String os = System.getProperty("os.name");
    if (os.startsWith("Windows")) {
      return "vcruntime140.dll";
    }
    return os.startsWith("Mac") ? "libc++.1.dylib" : "libstdc++.so.6";
  }
}
