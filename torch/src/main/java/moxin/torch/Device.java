package moxin.torch;

/// Where a tensor lives.
///
/// @param index which of several, 0 for the CPU
public record Device(Kind kind, int index) {

  /// The CPU.
  public static final Device CPU = new Device(Kind.CPU, 0);

  /// Kinds of devices, with libtorch's codes.
  public enum Kind {
    CPU(0),
    CUDA(1);

    private final int code;

    Kind(int code) {
      this.code = code;
    }

    int code() {
      return code;
    }
  }

  public Device {
    if (index < 0 || (kind == Kind.CPU && index != 0)) {
      throw new IllegalArgumentException("no device " + kind + ":" + index);
    }
  }

  /// The CUDA device `index`.
  public static Device cuda(int index) {
    return new Device(Kind.CUDA, index);
  }

  /// Whether its memory can be read and written by Java.
  public boolean isHost() {
    return kind == Kind.CPU;
  }

  @Override
  public String toString() {
    return kind == Kind.CPU ? "cpu" : "cuda:" + index;
  }
}
