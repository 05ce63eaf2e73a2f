package moxin.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class RotaryOrderTest {

  @Test
  void interleavedRowsAreThoseOfLlamaCppsConverter() {
    // weights.reshape(H, 2, D / 2, K).swapaxes(1, 2).reshape(H * D, K), for one head
    for (int headDim : new int[] {2, 4, 8, 10, 26, 64, 128}) {
      int half = headDim / 2;
      int[] expected = new int[headDim];
      for (int i = 0; i < half; i++) {
        for (int part = 0; part < 2; part++) {
          expected[i * 2 + part] = part * half + i;
        }
      }
      assertThat(RotaryOrder.INTERLEAVED.rowsFrom(RotaryOrder.HALF_SPLIT, headDim))
          .isEqualTo(expected);
    }
    assertThat(RotaryOrder.INTERLEAVED.rowsFrom(RotaryOrder.HALF_SPLIT, 6))
        .containsExactly(0, 3, 1, 4, 2, 5);
    assertThat(RotaryOrder.HALF_SPLIT.rowsFrom(RotaryOrder.INTERLEAVED, 6))
        .containsExactly(0, 2, 4, 1, 3, 5);
  }

  @Test
  void thereAndBackIsWhereOneStarted() {
    for (int headDim = 2; headDim <= 66; headDim += 2) {
      int[] there = RotaryOrder.INTERLEAVED.rowsFrom(RotaryOrder.HALF_SPLIT, headDim);
      int[] back = RotaryOrder.HALF_SPLIT.rowsFrom(RotaryOrder.INTERLEAVED, headDim);
      int[] identity = IntStream.range(0, headDim).toArray();
      assertThat(IntStream.of(back).map(row -> there[row]).toArray()).isEqualTo(identity);
      for (RotaryOrder order : RotaryOrder.values()) {
        assertThat(order.rowsFrom(order, headDim)).isEqualTo(identity);
      }
    }
    assertThatThrownBy(() -> RotaryOrder.HALF_SPLIT.rowsFrom(RotaryOrder.INTERLEAVED, 7))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
