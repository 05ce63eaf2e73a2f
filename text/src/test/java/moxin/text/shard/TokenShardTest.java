package moxin.text.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Seeded
final class TokenShardTest {
  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(ints = {1, 255, 65536, 65537, 2_000_000})
  void whatIsWrittenIsReadBack(int vocabSize, Random random) throws IOException {
    int[] lengths = {1, 7, 0, 8, 13, 40_000, 33, 257};
    int[][] documents = new int[lengths.length][];
    Path npy = directory.resolve("train.npy");
    try (TokenShardWriter writer = TokenShardWriter.create(npy, vocabSize, "abc")) {
      for (int d = 0; d < lengths.length; d++) {
        documents[d] = random.ints(lengths[d], 0, vocabSize).toArray();
        writer.add("id" + d, "source \"" + d, "hash" + d, documents[d]);
      }
      assertThat(writer.tokens()).isEqualTo(Arrays.stream(lengths).sum());
      assertThat(npy).doesNotExist();
      writer.commit();
    }
    try (TokenShard shard = TokenShard.open(npy)) {
      assertThat(shard.size()).isEqualTo(Arrays.stream(lengths).sum());
      assertThat(shard.vocabSize()).hasValue(vocabSize);
      assertThat(shard.tokenizerSha256()).isEqualTo("abc");
      assertThat(shard.documents()).hasSize(lengths.length);
      for (int d = 0; d < lengths.length; d++) {
        ShardDocument document = shard.documents().get(d);
        assertThat(document.id()).isEqualTo("id" + d);
        assertThat(document.source()).isEqualTo("source \"" + d);
        assertThat(document.hash()).isEqualTo("hash" + d);
        int[] tokens = new int[lengths[d] + 2];
        shard.copy(document.offset(), tokens, 1, lengths[d]);
        assertThat(Arrays.copyOfRange(tokens, 1, lengths[d] + 1)).isEqualTo(documents[d]);
      }
    }
    assertThat(Files.size(npy))
        .isEqualTo(128 + (vocabSize <= 65536 ? 2L : 4L) * Arrays.stream(lengths).sum());
  }

  @Test
  void withoutCommitNothingIsLeft() throws IOException {
    try (TokenShardWriter writer = TokenShardWriter.create(directory.resolve("a.npy"), 10, "")) {
      writer.add("a", "b", "", new int[] {1, 2, 3});
    }
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void idsOutsideTheVocabularyAreRefused() throws IOException {
    try (TokenShardWriter writer = TokenShardWriter.create(directory.resolve("a.npy"), 10, "")) {
      assertThatThrownBy(() -> writer.add("a", "b", "", new int[] {10}))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("id 10 is not in [0, 10)");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"|u1", "<u2", "<u4", "<i4", "<i8"})
  void foreignArraysOfEveryTypeAreRead(String descr) throws IOException {
    Path npy = directory.resolve("foreign.npy");
    Files.write(npy, array(descr, "(7,)", 1, new long[] {0, 1, 2, 3, 100, 127, 5}));
    try (TokenShard shard = TokenShard.open(npy)) {
      int[] tokens = new int[7];
      shard.copy(0, tokens, 0, 7);
      assertThat(tokens).containsExactly(0, 1, 2, 3, 100, 127, 5);
      assertThat(shard.documents())
          .containsExactly(new ShardDocument("foreign.npy#0", "foreign.npy", 0, 7, ""));
      assertThat(shard.vocabSize()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void eachRowOfATwoDimensionalArrayIsADocument(int version) throws IOException {
    Path npy = directory.resolve("rows.npy");
    Files.write(npy, array("<i8", "(2, 3)", version, new long[] {1, 2, 3, 4, 5, 6}));
    try (TokenShard shard = TokenShard.open(npy)) {
      assertThat(shard.documents()).hasSize(2);
      assertThat(shard.documents().get(1).offset()).isEqualTo(3);
      assertThat(shard.token(3)).isEqualTo(4);
    }
  }

  @Test
  void valuesThatAreNoIdsAreErrorsWhereTheyAreRead() throws IOException {
    Path npy = directory.resolve("wide.npy");
    Files.write(npy, array("<i8", "(3,)", 1, new long[] {1, 1L << 40, -1}));
    try (TokenShard shard = TokenShard.open(npy)) {
      assertThat(shard.token(0)).isEqualTo(1);
      assertThatThrownBy(() -> shard.token(1))
          .isInstanceOf(TokenShardFormatException.class)
          .hasMessageContaining("token 1 is 1099511627776");
      assertThatThrownBy(() -> shard.copy(0, new int[3], 0, 3))
          .isInstanceOf(TokenShardFormatException.class);
      assertThatThrownBy(() -> shard.token(3)).isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"(8,)", "(2, 4)", "()", "(1, 1, 1)", "(-1,)", "(999999999999999999, 99999999999)"})
  void lyingShapesAreErrors(String shape) throws IOException {
    Path npy = directory.resolve("a.npy");
    Files.write(npy, array("<u2", shape, 1, new long[] {1, 2, 3, 4, 5, 6, 7}));
    assertThatThrownBy(() -> TokenShard.open(npy)).isInstanceOf(TokenShardFormatException.class);
  }

  @Test
  void mutatedAndTruncatedFilesAreTypedErrorsOrShards(Random random) throws IOException {
    Path npy = directory.resolve("a.npy");
    try (TokenShardWriter writer = TokenShardWriter.create(npy, 300, "abc")) {
      writer.add("a", "b", "c", new int[] {1, 2, 3});
      writer.add("d", "e", "f", new int[] {299, 4});
      writer.commit();
    }
    Path index = TokenShard.indexOf(npy);
    byte[] goodArray = Files.readAllBytes(npy);
    byte[] goodIndex = Files.readAllBytes(index);
    int failures = 0;
    for (int round = 0; round < 2000; round++) {
      Files.write(npy, round % 2 == 0 ? mutated(goodArray, random) : goodArray);
      Files.write(index, round % 2 == 1 ? mutated(goodIndex, random) : goodIndex);
      try (TokenShard shard = TokenShard.open(npy)) {
        for (ShardDocument document : shard.documents()) {
          shard.copy(document.offset(), new int[8], 0, (int) document.length());
        }
      } catch (TokenShardFormatException e) {
        assertThat(e.getMessage()).doesNotContain("\n").contains("a.");
        failures++;
      }
    }
    assertThat(failures).isGreaterThan(500);
  }

  private static byte[] mutated(byte[] good, Random random) {
    byte[] bytes =
        Arrays.copyOf(good, random.nextInt(4) == 0 ? random.nextInt(good.length) : good.length);
    for (int i = random.nextInt(4); i > 0 && bytes.length > 0; i--) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
    }
    return bytes;
  }

  private static byte[] array(String descr, String shape, int version, long[] values) {
    String dictionary =
        "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }   \n";
    ByteBuffer out = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
    out.put((byte) 0x93).put("NUMPY".getBytes(StandardCharsets.US_ASCII));
    out.put((byte) version).put((byte) 0);
    if (version == 1) {
      out.putShort((short) dictionary.length());
    } else {
      out.putInt(dictionary.length());
    }
    out.put(dictionary.getBytes(StandardCharsets.US_ASCII));
    for (long value : values) {
      switch (descr) {
        case "|u1" -> out.put((byte) value);
        case "<u2" -> out.putShort((short) value);
        case "<u4", "<i4" -> out.putInt((int) value);
        default -> out.putLong(value);
      }
    }
    return Arrays.copyOf(out.array(), out.position());
  }
}
