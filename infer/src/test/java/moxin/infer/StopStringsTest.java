package moxin.infer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class StopStringsTest {

  @Test
  void stopStringAcrossPiecesIsNeverShown() {
    StopStrings stops = new StopStrings(List.of("END", "\n\n"));
    assertThat(stops.next("one E")).isEqualTo("one ");
    assertThat(stops.next("N")).isEmpty();
    assertThat(stops.next("D two")).isEmpty();
    assertThat(stops.stopped()).isTrue();
  }

  @Test
  void falseBeginningsAreShownLater() {
    StopStrings stops = new StopStrings(List.of("aab"));
    assertThat(stops.next("aa")).isEmpty();
    assertThat(stops.next("a")).isEqualTo("a");
    assertThat(stops.next("c")).isEqualTo("aac");
    assertThat(stops.next("a")).isEmpty();
    assertThat(stops.finish()).isEqualTo("a");
    assertThat(stops.stopped()).isFalse();
  }
}
