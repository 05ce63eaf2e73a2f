package moxin.torch;

/// A version as libtorch's C ABI encodes it: one byte each for major, minor and patch, from the
/// top.
record LibTorchVersion(int major, int minor) implements Comparable<LibTorchVersion> {

  /// The first version with the dispatcher call this module stands on.
  static final LibTorchVersion OLDEST = new LibTorchVersion(2, 10);

  static LibTorchVersion of(long abiVersion) {
    return new LibTorchVersion((int) (abiVersion >>> 56), (int) (abiVersion >>> 48 & 0xFF));
  }

  long abiVersion() {
    return (long) major << 56 | (long) minor << 48;
  }

  @Override
  public int compareTo(LibTorchVersion other) {
    return Long.compareUnsigned(abiVersion(), other.abiVersion());
  }

  @Override
  public String toString() {
    return major + "." + minor;
  }
}
