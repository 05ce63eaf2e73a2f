package moxin.model;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import moxin.testing.Rounds;
import moxin.testing.Seeded;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Damaged files give the typed exception in one line, or a valid result; nothing else, and fast.
@Seeded
@Timeout(60)
final class CheckpointFuzzTest {

  private static final List<String> SPICES =
      List.of(
          "-1", "1e999", "99999999999999999999", "null", "{}", "[", "\"", "F16", "\\u0000", "0");

  @TempDir Path directory;

  @Test
  void damagedSafetensorsAreTypedErrors(Random random) throws IOException {
    Path file = directory.resolve(SafetensorsCheckpoint.FILE_NAME);
    SafetensorsWriter.write(
        file,
        List.of(
            SafetensorsTest.random("a", DType.F32, random, 3, 2),
            SafetensorsTest.random("b", DType.BF16, random, 5)),
        Map.of("format", "pt"));
    byte[] whole = Files.readAllBytes(file);
    for (int i = 0; i < Rounds.of(3000); i++) {
      Files.write(file, damaged(whole, random));
      onlyTypedErrors(
          () -> {
            try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(directory)) {
              for (String name : checkpoint.names()) {
                TensorView view = checkpoint.tensor(name);
                if (view.dtype().isFloatingPoint()) {
                  assertThat(Precision.widen(view)).hasSize((int) view.elements());
                }
              }
            }
          });
    }
  }

  @Test
  void damagedConfigsAreTypedErrors(Random random) {
    byte[] whole = ModelConfigFile.toJson(ModelConfig.moxin7b(), DType.F16).getBytes(UTF_8);
    for (int i = 0; i < Rounds.of(5000); i++) {
      String json = new String(damaged(whole, random), random.nextBoolean() ? UTF_8 : ISO_8859_1);
      onlyTypedErrors(() -> assertThat(ModelConfigFile.parse("x", json)).isNotNull());
    }
  }

  @Test
  void damagedIndexesAreTypedErrors(Random random) throws IOException {
    SafetensorsWriter.writeSharded(
        directory,
        List.of(TensorSpec.of("a", DType.F32, 3), TensorSpec.of("b", DType.I64, 1)),
        Map.of(),
        8,
        spec -> SafetensorsTest.random(spec.name(), spec.dtype(), random, spec.shape().getFirst()));
    Path index = directory.resolve(SafetensorsCheckpoint.INDEX_NAME);
    byte[] whole = Files.readAllBytes(index);
    for (int i = 0; i < Rounds.of(2000); i++) {
      Files.write(index, damaged(whole, random));
      onlyTypedErrors(() -> SafetensorsCheckpoint.open(directory).close());
    }
  }

  private static void onlyTypedErrors(ThrowingCallable reading) {
    Throwable thrown = catchThrowable(reading);
    if (thrown != null) {
      assertThat(thrown).isInstanceOf(CheckpointFormatException.class);
      assertThat(thrown.getMessage()).doesNotContain("\n").hasSizeLessThan(2000);
    }
  }

  /// A copy with one to four bytes flipped, pieces cut out, or something spicy put in.
  private static byte[] damaged(byte[] whole, Random random) {
    byte[] bytes = whole.clone();
    for (int times = 1 + random.nextInt(4); times > 0 && bytes.length > 0; times--) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(5)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[at] = (byte) random.nextInt(256);
        case 2 -> bytes = Arrays.copyOf(bytes, at);
        case 3 -> bytes = spliced(bytes, at, "", random.nextInt(20));
        default -> {
          String spice = SPICES.get(random.nextInt(SPICES.size()));
          bytes = spliced(bytes, at, spice, random.nextInt(3));
        }
      }
    }
    return bytes;
  }

  private static byte[] spliced(byte[] bytes, int at, String inserted, int removed) {
    String text = new String(bytes, ISO_8859_1);
    int resume = Math.min(bytes.length, at + removed);
    return (text.substring(0, at) + inserted + text.substring(resume)).getBytes(ISO_8859_1);
  }
}
