package moxin.infer.assembly;

import org.jspecify.annotations.Nullable;

/// A place in memory: `base + index · scale + displacement`.
///
/// @param scale 1, 2, 4 or 8
/// @param isBroadcast whether one 32-bit element is read and repeated in all lanes (EVEX only)
public record Memory(
    Gpr base, @Nullable Gpr index, int scale, int displacement, boolean isBroadcast)
    implements Operand {

  public Memory {
    if (index == Gpr.RSP) {
      throw new IllegalArgumentException("rsp cannot be an index");
    }
    if (Integer.bitCount(scale) != 1 || scale > 8) {
      throw new IllegalArgumentException("scale " + scale);
    }
  }

  /// `[base + displacement]`.
  public static Memory at(Gpr base, int displacement) {
    return new Memory(base, null, 1, displacement, false);
  }

  /// `[base + index · scale + displacement]`.
  public static Memory at(Gpr base, Gpr index, int scale, int displacement) {
    return new Memory(base, index, scale, displacement, false);
  }

  /// The 32-bit element here, repeated in all lanes.
  public Memory broadcast() {
    return new Memory(base, index, scale, displacement, true);
  }
}
