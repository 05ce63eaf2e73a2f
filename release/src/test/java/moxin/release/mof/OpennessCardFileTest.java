package moxin.release.mof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;

class OpennessCardFileTest {
  private static final String CARD =
      """
      framework: {name: Model Openness Framework, version: '1.0', date: '2024-12-15'}
      release:
        name: Moxin
        producer: us
        license: {distribution: {name: Apache-2.0, path: LICENSE}, code: {name: null}}
        components:
        - name: Model card
          license: CC-BY-4.0
        - name: Data card
      """;

  @Test
  void aCardIsRead() {
    OpennessCard card = OpennessCardFile.parse("card", CARD);
    assertThat(card.name()).isEqualTo("Moxin");
    assertThat(card.components()).hasSize(2);
    assertThat(card.licenceOf(card.components().getFirst())).contains("CC-BY-4.0");
    assertThat(card.licenceOf(card.components().getLast())).contains("Apache-2.0");
  }

  @Test
  void errorsNameThePlace() {
    assertThatThrownBy(() -> OpennessCardFile.parse("c.yml", "[]"))
        .hasMessage("c.yml: no section release:; expected a Model Openness Tool card");
    assertThatThrownBy(() -> OpennessCardFile.parse("c.yml", CARD.replace("Data card", "Datacard")))
        .hasMessage("c.yml: release.components[1]: unknown component \"Datacard\"");
    assertThatThrownBy(
            () -> OpennessCardFile.parse("c.yml", CARD.replace("Data card", "Model card")))
        .hasMessage("c.yml: release.components[1]: \"Model card\" stands twice");
  }

  @Test
  void aliasesDoNotExpand() {
    StringBuilder bomb = new StringBuilder("a0: &a0 [x, x]\n");
    for (int i = 1; i < 40; i++) {
      bomb.append("a%d: &a%d [*a%d, *a%d]\n".formatted(i, i, i - 1, i - 1));
    }
    assertThatThrownBy(() -> OpennessCardFile.parse("bomb", bomb.toString()))
        .isInstanceOf(CardFormatException.class);
  }

  @Test
  @Seeded
  void mutatedCardsAreReadOrRefused(Random random) {
    int refused = 0;
    for (int i = 0; i < 3000; i++) {
      StringBuilder mutant = new StringBuilder(CARD);
      for (int edits = 1 + random.nextInt(4); edits > 0; edits--) {
        int at = random.nextInt(mutant.length());
        switch (random.nextInt(3)) {
          case 0 -> mutant.setCharAt(at, (char) random.nextInt(1, 0x250));
          case 1 -> mutant.delete(at, Math.min(mutant.length(), at + random.nextInt(1, 20)));
          default -> mutant.insert(at, "\n- {[*&!:\u0000\t".charAt(random.nextInt(11)));
        }
      }
      try {
        OpennessEvaluation.of(OpennessCardFile.parse("mutant", mutant.toString()));
      } catch (CardFormatException e) {
        assertThat(e.getMessage()).startsWith("mutant: ").doesNotContain("\n");
        refused++;
      }
    }
    assertThat(refused).isPositive();
  }
}
