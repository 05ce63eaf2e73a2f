package moxin.infer.assembly;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// Groups cover all tokens in order and differ by one token at most.
class TokenGroupsTest {

  @Test
  void groupsCoverAllTokensInOrder() {
    for (int limit = 1; limit <= 12; limit++) {
      for (int tokens = 1; tokens <= 100; tokens++) {
        TokenGroups groups = TokenGroups.of(tokens, limit);
        assertThat(groups.groups()).isEqualTo((tokens + limit - 1) / limit);
        int next = 0;
        for (int group = 0; group < groups.groups(); group++) {
          assertThat(groups.start(group)).isEqualTo(next);
          assertThat(groups.size(group))
              .isBetween(groups.size(groups.groups() - 1), groups.size(0))
              .isBetween(Math.max(1, groups.size() - 1), limit);
          for (int i = 0; i < groups.size(group); i++) {
            assertThat(groups.groupOf(next)).isEqualTo(group);
            next++;
          }
        }
        assertThat(next).isEqualTo(tokens);
      }
    }
  }
}
