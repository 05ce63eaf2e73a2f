package moxin.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class QuantitiesTest {

  @Test
  void countsHaveThreeDigitsAndASuffix() {
    assertThat(Quantities.count(0, "tokens")).isEqualTo("0 tokens");
    assertThat(Quantities.count(7, "")).isEqualTo("7");
    assertThat(Quantities.count(999, "documents")).isEqualTo("999 documents");
    assertThat(Quantities.count(1000, "tokens")).isEqualTo("1.00 k tokens");
    assertThat(Quantities.count(15_224, "files")).isEqualTo("15.2 k files");
    assertThat(Quantities.count(999_999, "tokens")).isEqualTo("1.00 M tokens");
  }

  @Test
  void bytesAreDecimal() {
    assertThat(Quantities.bytes(12)).isEqualTo("12 B");
    assertThat(Quantities.bytes(53_013_561)).isEqualTo("53.0 MB");
    assertThat(Quantities.rate(1_500_000, "bytes")).isEqualTo("1.50 MB/s");
  }

  @Test
  void durationsHaveTwoUnitsAtMost() {
    assertThat(Quantities.duration(0.84)).isEqualTo("0.8 s");
    assertThat(Quantities.duration(59.4)).isEqualTo("59 s");
    assertThat(Quantities.duration(185)).isEqualTo("3 min 5 s");
    assertThat(Quantities.duration(7800)).isEqualTo("2 h 10 min");
  }
}
