package moxin.infer.assembly;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Sums of 16 bits never saturate.
class ByteDotsTest {

  /// A lane of `vpmaddubsw` has two products.
  @ParameterizedTest
  @ValueSource(ints = {15, 31, 63, 128})
  void theLargestSumOfWordsFits(int largest) {
    int quads = ByteDots.quadsOf16Bits(largest);
    assertThat(quads).isPositive();
    assertThat(quads * 2 * 127 * largest).isLessThanOrEqualTo(Short.MAX_VALUE);
    boolean isMost = quads == 8 || (quads + 1) * 2 * 127 * largest > Short.MAX_VALUE;
    assertThat(isMost).isTrue();
  }
}
