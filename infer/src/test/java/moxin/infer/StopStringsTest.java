package moxin.infer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;

@Seeded
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

  @Test
  void theStopThatIsWholeFirstWinsAndOfThoseTheLongest() {
    assertThat(upToStop(List.of("abc", "b"), "xabcd")).isEqualTo("xa");
    assertThat(upToStop(List.of("bc", "abc", "c"), "xabcd")).isEqualTo("x");
    assertThat(upToStop(List.of("aba"), "ababa")).isEmpty();
    assertThat(upToStop(List.of("\n\n", "\n"), "x\n\n")).isEqualTo("x");
  }

  @Test
  void characterSeveralBytesLongStop() {
    assertThat(upToStop(List.of("😀é"), "日😀😀é日")).isEqualTo("日😀");
    assertThat(upToStop(List.of("é"), "aéb")).isEqualTo("a");
  }

  @Test
  void howTheTextIsCutChangesNothing(Random random) {
    int stopped = 0;
    for (int round = 0; round < 5000; round++) {
      List<String> stops = new ArrayList<>();
      for (int n = 1 + random.nextInt(3); n > 0; n--) {
        stops.add(letters(random, 1 + random.nextInt(4)));
      }
      String text = letters(random, random.nextInt(20));
      String expected = text;
      for (int end = 0; end <= text.length() && expected.length() == text.length(); end++) {
        for (String stop : stops) {
          String begun = text.substring(0, end);
          if (begun.endsWith(stop) && end - stop.length() < expected.length()) {
            expected = text.substring(0, end - stop.length());
          }
        }
      }
      StopStrings whole = new StopStrings(stops);
      StringBuilder shown = new StringBuilder();
      for (int at = 0; at < text.length(); ) {
        int next = at + 1 + random.nextInt(Math.min(5, text.length() - at));
        shown.append(whole.next(text.substring(at, next)));
        at = next;
      }
      shown.append(whole.finish());
      assertThat(shown).as("%s in '%s'", stops, text).hasToString(expected);
      stopped += whole.stopped() ? 1 : 0;
    }
    assertThat(stopped).isBetween(1000, 4900);
  }

  private static String letters(Random random, int count) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < count; i++) {
      text.append("aabé".charAt(random.nextInt(4)));
    }
    return text.toString();
  }

  private static String upToStop(List<String> stops, String text) {
    StopStrings atOnce = new StopStrings(stops);
    String result = atOnce.next(text) + atOnce.finish();
    StopStrings one = new StopStrings(stops);
    StringBuilder shown = new StringBuilder();
    text.codePoints().forEach(c -> shown.append(one.next(Character.toString(c))));
    assertThat(shown.append(one.finish())).hasToString(result);
    return result;
  }
}
