package moxin.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class JobSignalTest {

  @Test
  void theFirstSignalCountsAndIsToldOnce() {
    List<Integer> told = new ArrayList<>();
    JobSignal signal = new JobSignal(told::add);
    assertThat(signal.number()).isZero();
    signal.raise(15);
    signal.raise(2);
    signal.raise(15);
    assertThat(signal.number()).isEqualTo(15);
    assertThat(told).containsExactly(15);
  }

  @Test
  void numbersThatNoSignalHasAreRefused() {
    for (int number : new int[] {-1, 0, 128}) {
      assertThatThrownBy(() -> new JobSignal().raise(number))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
