package moxin.infer.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;

@Seeded
final class LookupDraftsTest {

  @Test
  void theIndexFindsWhatASearchFindsUnlessASlotWasTaken(Random random) {
    int found = 0;
    int missed = 0;
    for (int length : new int[] {1, 2, 3, 6}) {
      TokenList text = new TokenList(random.ints(5, 0, 4).toArray());
      NgramIndex index = new NgramIndex(text, length);
      for (int i = 0; i < 3000; i++) {
        text.add(random.nextInt(i % 7 == 0 ? 300 : 4));
        int end = index.find();
        int searched = search(text, length);
        if (end > 0) {
          assertThat(text.slice(end - length, end))
              .isEqualTo(text.slice(text.size() - length, text.size()));
          assertThat(end).isEqualTo(searched);
          found++;
        } else {
          missed += searched > 0 ? 1 : 0;
        }
      }
    }
    assertThat(missed).isLessThan(found / 4);
  }

  private static int search(TokenList text, int length) {
    int size = text.size();
    for (int end = size - 1; end >= length; end--) {
      if (Arrays.equals(text.slice(end - length, end), text.slice(size - length, size))) {
        return end;
      }
    }
    return 0;
  }

  @Test
  void aRepeatedTextIsForetold() {
    int[] ids = {5, 6, 7, 8, 9, 10, 11, 12, 13, 5, 6};
    TokenList text = new TokenList(ids);
    LookupDrafts drafts = new LookupDrafts(text);
    assertThat(drafts.propose(4).ids()).containsExactly(7, 8, 9, 10);
    text.add(7);
    drafts.added(7);
    assertThat(drafts.propose(3).ids()).containsExactly(8, 9, 10);
  }

  @Test
  void aPeriodGoesOnBeyondTheEnd() {
    LookupDrafts drafts = new LookupDrafts(new TokenList(new int[] {9, 1, 2, 3, 1, 2, 3}));
    assertThat(drafts.propose(8).ids()).containsExactly(1, 2, 3, 1, 2, 3, 1, 2);
  }

  @Test
  void whatIsNewIsNotForetold() {
    assertThat(new LookupDrafts(new TokenList(new int[] {1, 2, 3, 4, 5})).limit()).isZero();
    assertThat(new LookupDrafts(new TokenList(new int[] {1})).limit()).isZero();
  }

  @Test
  void acceptanceFollowsWhatHappens(Random random) {
    TokenList text = new TokenList(new int[] {1});
    LookupDrafts drafts = new LookupDrafts(text);
    for (int i = 0; i < 3000; i++) {
      int id = random.nextInt(6);
      text.add(id);
      drafts.added(id);
    }
    while (drafts.limit() == 0) {
      text.add(1);
      drafts.added(1);
    }
    assertThat(drafts.acceptance(0)).isBetween(0.01, 0.45);
    for (int i = 0; i < 300; i++) {
      int id = 10 + i % 13;
      text.add(id);
      drafts.added(id);
    }
    assertThat(drafts.acceptance(0)).isGreaterThan(0.95);
  }
}
