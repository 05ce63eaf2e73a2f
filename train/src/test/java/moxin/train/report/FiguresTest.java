package moxin.train.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class FiguresTest {
  @Test
  void numbersReadWell() {
    assertThat(Figures.compact(0L)).isEqualTo("0");
    assertThat(Figures.compact(999L)).isEqualTo("999");
    assertThat(Figures.compact(8_114_180_096L)).isEqualTo("8.11 B");
    assertThat(Figures.compact(999_600L)).isEqualTo("1.00 M");
    assertThat(Figures.bytes(1)).isEqualTo("1 byte");
    assertThat(Figures.bytes(45_321_000)).isEqualTo("45.3 MB");
    assertThat(Figures.exact(30_552_832)).isEqualTo("30,552,832");
  }

  @Test
  void durationsReadWell() {
    assertThat(Figures.duration(1.26)).isEqualTo("1.3 s");
    assertThat(Figures.duration(59.6)).isEqualTo("1 min 0 s");
    assertThat(Figures.duration(664)).isEqualTo("11 min 4 s");
    assertThat(Figures.duration(7980)).isEqualTo("2 h 13 min");
    assertThat(Figures.duration(864_000)).isEqualTo("10 d 0 h");
  }

  @Test
  void textsAreShortenedBetweenCharacters() {
    assertThat(Figures.shortened("abc", 3)).isEqualTo("abc");
    assertThat(Figures.shortened("abcd", 3)).isEqualTo("ab…");
    assertThat(Figures.shortened("a\ud83d\ude00cd", 3)).isEqualTo("a…");
    assertThat(Figures.minute(1e300)).isEqualTo("unknown");
    assertThat(Figures.minute(0)).isEqualTo("1970-01-01 00:00 UTC");
  }
}
