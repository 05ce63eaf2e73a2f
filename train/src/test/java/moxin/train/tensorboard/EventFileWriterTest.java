package moxin.train.tensorboard;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EventFileWriterTest {
  @TempDir Path directory;

  @Test
  void theTestsChecksumIsTheStandards() {
    assertThat(EventReader.checksum("123456789".getBytes(US_ASCII))).isEqualTo(0xe3069283L);
  }

  @Test
  void theFirstFrameIsThatOfEveryTensorFlowFile() throws IOException {
    Path file = write(0, 1, 1);

    byte[] head = Arrays.copyOf(Files.readAllBytes(file), 13);
    assertThat(HexFormat.of().formatHex(head)).isEqualTo("1800000000000000a37f4b2209");
    assertThat(file.getFileName().toString()).matches("events\\.out\\.tfevents\\.[0-9]{10}.*");
  }

  @Test
  void anIndependentReaderFindsEveryValue() throws IOException {
    Path file;
    try (EventFileWriter writer = EventFileWriter.open(directory, 0)) {
      writer.write(1, 1.5e9, Map.of("train/loss", 9.25, "train/lr", 1e-300));
      writer.write(300, 1.6e9, Map.of("größe", Double.NaN));
      writer.write(1L << 40, 1.7e9 + 0.125, Map.of("train/loss", -1.0 / 3));
      writer.write(7, 1.7e9, Map.of());
      writer.sync();
      file = writer.file();
    }
    List<EventReader.Event> events = EventReader.read(file);
    assertThat(events.get(0).version()).isEqualTo("brain.Event:2");
    assertThat(events.get(1).session()).isEqualTo(1);
    assertThat(events.get(1).step()).isEqualTo(1);
    assertThat(events.subList(2, 5))
        .containsExactly(
            new EventReader.Event(1.5e9, 1, "", 0, Map.of("train/loss", 9.25f, "train/lr", 0f)),
            new EventReader.Event(1.6e9, 300, "", 0, Map.of("größe", Float.NaN)),
            new EventReader.Event(1.7e9 + 0.125, 1L << 40, "", 0, Map.of("train/loss", -1f / 3)));
    assertThat(events).hasSize(5);
  }

  @Test
  void aSecondWriterGoesOnInALaterFileWithoutTheLostSteps() throws IOException {
    Path first = write(0, 1, 9);
    Path second = write(6, 7, 12);

    assertThat(EventReader.files(directory)).containsExactly(first, second);
    assertThat(EventReader.scalars(directory).of("loss").keySet())
        .containsExactly(1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L, 10L, 11L, 12L);
    assertThat(EventReader.read(first)).hasSize(8);
    assertThat(EventReader.read(second).get(1).session()).isEqualTo(1);
    assertThat(EventReader.read(second).get(1).step()).isEqualTo(7);
  }

  @Test
  void filesLeftWithoutAnyStepGo() throws IOException {
    Path other = directory.resolve("events.out.tfevents.1700000000.host.123.0");
    Files.writeString(other, "not ours");
    write(0, 1, 9);
    write(4, 5, 4);
    Path last = write(0, 1, 2);

    assertThat(EventReader.files(directory)).containsExactly(other, last);
    assertThat(other).hasContent("not ours");
  }

  @Test
  @Seeded
  void whateverStandsInAnEarlierFileOnlyWholeEventsStay(Random random) throws IOException {
    Path file = write(0, 1, 5);
    byte[] whole = Files.readAllBytes(file);
    int events = EventReader.read(file).size();
    for (int round = 0; round < 500; round++) {
      byte[] damaged = Arrays.copyOf(whole, whole.length - random.nextInt(whole.length));
      if (random.nextBoolean()) {
        damaged[random.nextInt(damaged.length)] ^= (byte) (1 + random.nextInt(255));
      }
      Files.write(file, damaged);
      EventFiles.cutAfter(file, random.nextInt(7));
      if (Files.exists(file)) {
        assertThat(EventReader.read(file)).hasSizeLessThanOrEqualTo(events);
        byte[] kept = Files.readAllBytes(file);
        assertThat(kept).isEqualTo(Arrays.copyOf(whole, kept.length));
      }
    }
  }

  @Test
  @Seeded
  void bytesThatAreNoMessageHaveNoStep(Random random) {
    assertThat(EventMessage.stepOf(new byte[] {0x10})).isEmpty();
    assertThat(EventMessage.stepOf(new byte[] {0x2a, 0x7f, 1})).isEmpty();
    assertThat(EventMessage.stepOf(new byte[] {0x0b})).isEmpty();
    for (int round = 0; round < 20_000; round++) {
      byte[] bytes = new byte[random.nextInt(30)];
      random.nextBytes(bytes);
      assertThatCode(() -> EventMessage.stepOf(bytes)).doesNotThrowAnyException();
    }
  }

  private Path write(long lastStep, long from, long to) throws IOException {
    try (EventFileWriter writer = EventFileWriter.open(directory, lastStep)) {
      for (long step = from; step <= to; step++) {
        writer.write(step, 1e9 + step, Map.of("loss", 1.0 / step));
      }
      return writer.file();
    }
  }
}
