package moxin.text.gguf;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import moxin.testing.Rounds;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Seeded
final class GgufHeaderTest {

  @Test
  void everyKindOfValueReadsBack() {
    Map<String, GgufValue> pairs = everyKind();
    List<GgufTensorInfo> tensors =
        List.of(
            new GgufTensorInfo("a.weight", List.of(3L, 5L), 0, 0),
            new GgufTensorInfo("b", List.of(), 1, 64));
    byte[] bytes = GgufHeaderWriter.toBytes(pairs, tensors);
    GgufHeader header = parse(bytes);
    assertThat(header.version()).isEqualTo(3);
    assertThat(header.tensors()).isEqualTo(tensors);
    assertThat(header.alignment()).isEqualTo(32);
    assertThat(header.dataOffset()).isEqualTo(bytes.length).isEqualTo(bytes.length / 32 * 32L);
    assertThat(header.metadata().values().keySet()).containsExactlyElementsOf(pairs.keySet());
    assertThat(GgufHeaderWriter.toBytes(header.metadata().values(), tensors)).isEqualTo(bytes);
  }

  @Test
  void theBytesAreThoseOfTheSpecification() {
    byte[] bytes =
        GgufHeaderWriter.toBytes(
            Map.of("k", GgufValue.of(7)), List.of(new GgufTensorInfo("t", List.of(2L), 0, 0)));
    ByteBuffer expected = ByteBuffer.allocate(96).order(ByteOrder.LITTLE_ENDIAN);
    expected.put((byte) 'G').put((byte) 'G').put((byte) 'U').put((byte) 'F');
    expected.putInt(3).putLong(1).putLong(1);
    expected.putLong(1).put((byte) 'k').putInt(4).putInt(7);
    expected.putLong(1).put((byte) 't').putInt(1).putLong(2).putInt(0).putLong(0);
    assertThat(bytes).isEqualTo(expected.array());
  }

  @Test
  void lookupsConvertWhatIsMeantAndRefuseWhatIsNot() {
    GgufMetadata metadata = parse(GgufHeaderWriter.toBytes(everyKind(), List.of())).metadata();
    assertThat(metadata.integer("UINT8")).hasValue(200);
    assertThat(metadata.integer("INT64")).hasValue(5);
    assertThat(metadata.number("real")).hasValue(1e-5);
    assertThat(metadata.number("FLOAT64")).hasValue(0.1);
    assertThat(metadata.text("text")).contains("héllo\n▁");
    assertThat(metadata.flag("flag")).contains(true);
    assertThat(metadata.integer("none")).isEmpty();
    assertThatThrownBy(() -> metadata.integer("text"))
        .isInstanceOf(GgufFormatException.class)
        .hasMessage("x: text: found a string, expected a whole number");
    assertThatThrownBy(() -> metadata.integer("INT8")).hasMessageContaining("found -3");
    assertThatThrownBy(() -> metadata.text("flag")).hasMessageContaining("expected a string");
    assertThatThrownBy(() -> metadata.number("texts")).hasMessageContaining("a list of strings");
  }

  @Test
  void whatIsNoGgufFileIsSaidInOneLine() {
    assertFails(new byte[3], "ends within a number");
    assertFails(
        "PK34567890123456789012345678901".getBytes(UTF_8), "byte 0: 0x34334b50, expected GGUF");
    assertFails(head(1, 0, 0), "version 1, expected version 2 or 3");
    assertFails(head(Integer.reverseBytes(3), 0, 0), "a big-endian file");
    assertFails(head(3, 0, -1), "18446744073709551615 metadata pairs");
    assertFails(head(3, -1, 0), "18446744073709551615 tensors");
    assertFails(head(3, 1L << 40, 0), "ends within");
    assertThat(parse(head(2, 0, 0)).version()).isEqualTo(2);
  }

  @Test
  void lengthsThatLieAllocateNothing() {
    for (long length : new long[] {-1, Long.MAX_VALUE, 1L << 40, Integer.MAX_VALUE, 100}) {
      assertFails(bytes(1, b -> b.putLong(length)), "a string of " + Long.toUnsignedString(length));
      assertFails(
          bytes(1, b -> b.putLong(1).put((byte) 'k').putInt(8).putLong(length)), "a string of");
      for (int type : new int[] {0, 4, 8, 9, 12}) {
        assertFails(
            bytes(1, b -> b.putLong(1).put((byte) 'k').putInt(9).putInt(type).putLong(length)),
            "k: an array of " + Long.toUnsignedString(length) + " elements");
      }
    }
    assertFails(bytes(1, b -> b.putLong(0)), "a key of 0 bytes");
    assertFails(bytes(1, b -> b.putLong(1).put((byte) 0xff)), "a key is not UTF-8");
    assertFails(bytes(1, b -> b.putLong(1).put((byte) 'k').putInt(13)), "value type 13");
    assertFails(bytes(1, b -> b.putLong(1).put((byte) 'k').putInt(7).put((byte) 2)), "truth value");
  }

  @Test
  void nestingHasAnEnd() {
    GgufValue value = GgufValue.Numbers.of(1);
    for (int i = 0; i < 3; i++) {
      value = new GgufValue.Lists(List.of(value));
    }
    assertThat(parse(GgufHeaderWriter.toBytes(Map.of("k", value), List.of()))).isNotNull();
    ByteBuffer deep = ByteBuffer.allocate(100_000).order(ByteOrder.LITTLE_ENDIAN);
    deep.put(head(3, 0, 1)).putLong(1).put((byte) 'k').putInt(9);
    while (deep.remaining() >= 12) {
      deep.putInt(9).putLong(1);
    }
    assertFails(deep.array(), "at most 4 levels");
  }

  @Test
  void namesAreUniqueAndOffsetsAligned() {
    byte[] twice =
        bytes(
            2,
            b -> {
              for (int i = 0; i < 2; i++) {
                b.putLong(1).put((byte) 'k').putInt(0).put((byte) 1);
              }
            });
    assertFails(twice, "a second k");
    GgufTensorInfo good = new GgufTensorInfo("t", List.of(1L), 0, 0);
    assertFails(GgufHeaderWriter.toBytes(Map.of(), List.of(good, good)), "a second tensor t");
    assertFails(tensor("t", 0, 8), "t: offset 8, expected a multiple of the alignment 32");
    assertFails(tensor("t", 0, -32), "t: offset");
    assertFails(tensor("t", -1, 0), "t: a dimension of 18446744073709551615");
    assertFails(tensor("n".repeat(64), 1, 0), "a tensor's name of 64 bytes, expected 1 to 63");
    GgufTensorInfo deep = new GgufTensorInfo("t", List.of(1L, 1L, 1L, 1L, 1L), 0, 0);
    assertFails(GgufHeaderWriter.toBytes(Map.of(), List.of(deep)), "5 dimensions");
    for (int alignment : new int[] {0, 1, 4, 33, 1 << 21}) {
      // Under a key that the writer does not obey, and then renamed.
      byte[] bytes =
          GgufHeaderWriter.toBytes(Map.of("general.alignmenT", GgufValue.of(alignment)), List.of());
      bytes[new String(bytes, ISO_8859_1).indexOf('T')] = 't';
      assertFails(bytes, "general.alignment: found " + alignment + ", expected a power of two");
    }
  }

  @Test
  @Timeout(60)
  void damagedHeadersAreTypedErrors(Random random) {
    byte[] whole =
        GgufHeaderWriter.toBytes(
            everyKind(),
            List.of(
                new GgufTensorInfo("a.weight", List.of(3L, 5L), 0, 0),
                new GgufTensorInfo("b", List.of(7L), 1, 64)));
    for (int i = 0; i < Rounds.of(100_000); i++) {
      byte[] bytes = whole.clone();
      for (int times = 1 + random.nextInt(4); times > 0; times--) {
        int at = random.nextInt(bytes.length);
        switch (random.nextInt(4)) {
          case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
          case 1 -> bytes[at] = (byte) random.nextInt(256);
          case 2 -> Arrays.fill(bytes, at, Math.min(bytes.length, at + 8), (byte) 0xff);
          default -> bytes = Arrays.copyOf(bytes, Math.max(1, at));
        }
      }
      byte[] damaged = bytes;
      Throwable thrown = catchThrowable(() -> parse(damaged));
      if (thrown != null) {
        assertThat(thrown).isInstanceOf(GgufFormatException.class);
        assertThat(thrown.getMessage()).doesNotContain("\n").hasSizeLessThan(1000);
      }
    }
  }

  private static Map<String, GgufValue> everyKind() {
    Map<String, GgufValue> pairs = new LinkedHashMap<>();
    pairs.put("text", GgufValue.of("héllo\n▁"));
    pairs.put("flag", GgufValue.of(true));
    pairs.put("UINT8", new GgufValue.Whole(GgufType.UINT8, 200));
    pairs.put("INT8", new GgufValue.Whole(GgufType.INT8, -3));
    pairs.put("UINT16", new GgufValue.Whole(GgufType.UINT16, 60000));
    pairs.put("INT16", new GgufValue.Whole(GgufType.INT16, -300));
    pairs.put("UINT32", GgufValue.of(-1));
    pairs.put("INT32", new GgufValue.Whole(GgufType.INT32, -70000));
    pairs.put("UINT64", new GgufValue.Whole(GgufType.UINT64, -1));
    pairs.put("INT64", new GgufValue.Whole(GgufType.INT64, 5));
    pairs.put("real", GgufValue.of(1e-5f));
    pairs.put("FLOAT64", new GgufValue.Real(GgufType.FLOAT64, 0.1));
    pairs.put("texts", new GgufValue.Texts(List.of("", "a", "▁the")));
    pairs.put("ints", GgufValue.Numbers.of(1, -2, 3));
    pairs.put("floats", GgufValue.Numbers.of(0.5f, -1e9f));
    pairs.put("bytes", new GgufValue.Numbers(GgufType.UINT8, new byte[] {1, -1}));
    pairs.put("flags", new GgufValue.Numbers(GgufType.BOOL, new byte[] {1, 0}));
    pairs.put(
        "lists",
        new GgufValue.Lists(List.of(GgufValue.Numbers.of(1), new GgufValue.Texts(List.of("x")))));
    pairs.put("empty", new GgufValue.Numbers(GgufType.FLOAT64, new byte[0]));
    return pairs;
  }

  private static byte[] tensor(String name, long dimension, long offset) {
    return GgufHeaderWriter.toBytes(
        Map.of(), List.of(new GgufTensorInfo(name, List.of(dimension), 0, offset)));
  }

  private static byte[] head(int version, long tensors, long pairs) {
    return ByteBuffer.allocate(24)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(0x46554747)
        .putInt(version)
        .putLong(tensors)
        .putLong(pairs)
        .array();
  }

  private static byte[] bytes(long pairs, java.util.function.Consumer<ByteBuffer> body) {
    ByteBuffer bytes = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
    bytes.put(head(3, 0, pairs));
    body.accept(bytes);
    return bytes.array();
  }

  private static void assertFails(byte[] bytes, String message) {
    assertThatThrownBy(() -> parse(bytes))
        .isInstanceOf(GgufFormatException.class)
        .hasMessageStartingWith("x: ")
        .hasMessageContaining(message)
        .hasMessageNotContaining("\n");
  }

  private static GgufHeader parse(byte[] bytes) {
    return GgufHeader.parse("x", MemorySegment.ofArray(bytes));
  }
}
