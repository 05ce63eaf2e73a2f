package moxin.infer.kernel;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorSpecies;

/// The vectors of the Vector API tier: static constants, since the compiler has to know the width.
///
/// The width is what the JDK prefers on this CPU, at most 512 bits; the system property
/// `moxin.vector.bits` (128, 256, 512) overrides it.
final class VectorWidth {

  static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
  static final int BITS = bits();

  static final VectorSpecies<Float> FLOATS =
      switch (BITS) {
        case 128 -> FloatVector.SPECIES_128;
        case 256 -> FloatVector.SPECIES_256;
        default -> FloatVector.SPECIES_512;
      };
  static final VectorSpecies<Integer> INTS =
      switch (BITS) {
        case 128 -> IntVector.SPECIES_128;
        case 256 -> IntVector.SPECIES_256;
        default -> IntVector.SPECIES_512;
      };
  static final VectorSpecies<Short> SHORTS =
      switch (BITS) {
        case 128 -> ShortVector.SPECIES_128;
        case 256 -> ShortVector.SPECIES_256;
        default -> ShortVector.SPECIES_512;
      };

  /// Lanes of [#FLOATS] and [#INTS].
  static final int LANES = BITS / 32;

  /// Bytes of a vector.
  static final int BYTES = BITS / 8;

  private VectorWidth() {}

  private static int bits() {
    int preferred = Math.clamp(FloatVector.SPECIES_PREFERRED.vectorBitSize(), 128, 512);
    int bits = Integer.getInteger("moxin.vector.bits", preferred);
    if (bits != 128 && bits != 256 && bits != 512) {
      throw new IllegalArgumentException("moxin.vector.bits is 128, 256 or 512, not " + bits);
    }
    return bits;
  }
}
