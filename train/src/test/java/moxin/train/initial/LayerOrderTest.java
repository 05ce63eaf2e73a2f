package moxin.train.initial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import moxin.job.BadInputException;
import org.junit.jupiter.api.Test;

final class LayerOrderTest {

  @Test
  void mistralBecomesMoxinByOverlappingHalvesOrByBlocksAfterEveryEighth() {
    assertThat(LayerOrder.overlappingHalves(32, 36)).hasToString("0-17,14-31");
    assertThat(LayerOrder.evenlySpread(32, 36)).hasToString("0-7,7-15,15-23,23-31,31");
  }

  @Test
  void everyDepthIsReachedAndReadsBack() {
    for (int shallow : new int[] {1, 2, 7, 8, 13, 32, 33}) {
      for (int deep = shallow + 1; deep <= 2 * shallow; deep++) {
        for (LayerOrder order :
            List.of(
                LayerOrder.overlappingHalves(shallow, deep),
                LayerOrder.evenlySpread(shallow, deep))) {
          assertThat(order.sources()).hasSize(deep).contains(0, shallow - 1);
          assertThat(LayerOrder.parse(order.toString(), shallow, deep)).isEqualTo(order);
        }
        LayerOrder spread = LayerOrder.evenlySpread(shallow, deep);
        spread.requireAllInOrder(shallow);
        long repeated = 0;
        for (int layer = 0; layer < deep; layer++) {
          repeated += spread.repeats(layer) ? 1 : 0;
        }
        assertThat(repeated).isEqualTo(deep - shallow);
      }
    }
  }

  @Test
  void wrongLayersAreNamed() {
    for (List<String> wrong :
        List.of(
            List.of("0-17;14-31", "expected ranges as 0-17,14-31"),
            List.of("", "expected ranges"),
            List.of("0-17,14-32", "14-32 is no range of layers 0-31"),
            List.of("17-0,14-31", "17-0 is no range"),
            List.of("0-17,14-30", "names 35 layers, the model has 36"))) {
      assertThatThrownBy(() -> LayerOrder.parse(wrong.get(0), 32, 36))
          .isInstanceOf(BadInputException.class)
          .hasMessageContaining(wrong.get(1));
    }
    assertThatThrownBy(() -> LayerOrder.parse("0-17,14-31", 32, 36).requireAllInOrder(31))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("identity blocks need all layers 0-30");
    assertThatThrownBy(() -> LayerOrder.overlappingHalves(2, 5))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("more than twice as deep");
  }
}
