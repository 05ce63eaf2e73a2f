package moxin.text.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CharacterShardsTest {
  @TempDir Path directory;

  @Test
  void idsAreCharactersInOrderAndTheLastTenthIsHeldOut() throws Exception {
    Path text = directory.resolve("text.txt");
    Files.writeString(text, "cab😀cab cab\nbacca bac");

    assertThat(CharacterShards.write(text, directory.resolve("out"))).isEqualTo(6);

    assertThat(directory.resolve("out/characters.txt")).hasContent("\n abc😀");
    try (TokenShard train = TokenShard.open(directory.resolve("out/train.npy"));
        TokenShard held = TokenShard.open(directory.resolve("out/validation.npy"))) {
      assertThat(train.size()).isEqualTo(18);
      assertThat(held.size()).isEqualTo(3);
      assertThat(train.token(0)).isEqualTo(4);
      assertThat(train.token(3)).isEqualTo(5);
      assertThat(train.vocabSize()).hasValue(6);
    }
  }

  @Test
  void anEmptyTextIsRefused() throws Exception {
    Path text = Files.writeString(directory.resolve("empty.txt"), "");
    assertThatThrownBy(() -> CharacterShards.write(text, directory))
        .isInstanceOf(TokenShardFormatException.class);
  }
}
