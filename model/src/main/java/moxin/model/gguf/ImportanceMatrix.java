package moxin.model.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import moxin.model.CheckpointFormatException;
import moxin.model.GgufCheckpoint;
import moxin.model.Precision;
import moxin.text.gguf.GgufHeader;

/// How much each input of each matrix matters: its mean square over some text, as llama.cpp's
/// `llama-imatrix` measures it.
public final class ImportanceMatrix {

  private static final String SUMS = ".in_sum2";
  private static final String COUNTS = ".counts";
  private static final long MAX_BYTES = 1L << 28;
  private static final int MAX_NAME = 256;

  private final String origin;
  private final Map<String, float[]> byTensor;

  private ImportanceMatrix(String origin, Map<String, float[]> byTensor) {
    this.origin = origin;
    this.byTensor = byTensor;
  }

  /// Reads a file of `llama-imatrix`, in GGUF or in its older format of its own.
  ///
  /// @throws CheckpointFormatException if it is none
  /// @throws moxin.text.gguf.GgufFormatException if it is GGUF and damaged
  public static ImportanceMatrix read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new CheckpointFormatException(file + ": no such file");
    }
    Map<String, float[]> byTensor = GgufHeader.isGguf(file) ? gguf(file) : old(file);
    if (byTensor.isEmpty()) {
      throw new CheckpointFormatException(file + ": no importance of any tensor");
    }
    for (Map.Entry<String, float[]> entry : byTensor.entrySet()) {
      for (float value : entry.getValue()) {
        if (!(value >= 0) || Float.isInfinite(value)) {
          throw new CheckpointFormatException(
              file + ": " + entry.getKey() + ": found " + value + ", expected numbers from 0 up");
        }
      }
    }
    return new ImportanceMatrix(file.toString(), byTensor);
  }

  /// The importance of the `columns` inputs of weight `name` of [moxin.model.WeightNames]; empty
  /// where the file says nothing about it.
  ///
  /// @throws CheckpointFormatException if it speaks of another number of inputs
  public Optional<float[]> of(String name, int columns) {
    float[] importance = byTensor.get(GgufTensorNames.toGguf(name));
    if (importance != null && importance.length != columns) {
      throw new CheckpointFormatException(
          origin
              + ": "
              + GgufTensorNames.toGguf(name)
              + ": found "
              + importance.length
              + " inputs, expected "
              + columns
              + "; is it of another model?");
    }
    return Optional.ofNullable(importance);
  }

  private static Map<String, float[]> gguf(Path file) throws IOException {
    Map<String, float[]> byTensor = new HashMap<>();
    try (GgufCheckpoint checkpoint = GgufCheckpoint.open(file)) {
      for (String name : checkpoint.names()) {
        if (!name.endsWith(SUMS)) {
          continue;
        }
        String tensor = name.substring(0, name.length() - SUMS.length());
        float[] sums = Precision.widen(checkpoint.tensor(name));
        float[] counts = Precision.widen(checkpoint.tensor(tensor + COUNTS));
        if (counts.length != 1) {
          throw new CheckpointFormatException(
              file + ": " + tensor + COUNTS + ": found " + counts.length + " counts, expected 1");
        }
        for (int i = 0; i < sums.length; i++) {
          sums[i] = counts[0] > 0 ? sums[i] / counts[0] : 1;
        }
        byTensor.put(tensor, sums);
      }
    }
    return byTensor;
  }

  private static Map<String, float[]> old(Path file) throws IOException {
    if (Files.size(file) > MAX_BYTES) {
      throw new CheckpointFormatException(file + ": has more than " + MAX_BYTES + " bytes");
    }
    ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    Map<String, float[]> byTensor = new HashMap<>();
    int entries = number(file, in, "entries", Integer.MAX_VALUE);
    for (int entry = 0; entry < entries; entry++) {
      byte[] name = new byte[number(file, in, "bytes of a name", MAX_NAME)];
      require(file, in, name.length);
      in.get(name);
      int calls = number(file, in, "calls", Integer.MAX_VALUE);
      int count = number(file, in, "inputs", in.remaining() / Float.BYTES);
      require(file, in, (long) count * Float.BYTES);
      float[] values = new float[count];
      for (int i = 0; i < count; i++) {
        values[i] = in.getFloat() / Math.max(1, calls);
      }
      byTensor.put(new String(name, StandardCharsets.UTF_8).replaceAll("\\p{Cntrl}", "?"), values);
    }
    return byTensor;
  }

  private static int number(Path file, ByteBuffer in, String what, int most) {
    int at = in.position();
    require(file, in, Integer.BYTES);
    int number = in.getInt();
    if (number < 0 || number > most) {
      throw new CheckpointFormatException(
          file + ": byte " + at + ": found " + number + " " + what + ", expected 0 to " + most);
    }
    return number;
  }

  private static void require(Path file, ByteBuffer in, long bytes) {
    if (in.remaining() < bytes) {
      throw new CheckpointFormatException(
          file + ": byte " + in.position() + ": the file ends, expected " + bytes + " more bytes");
    }
  }
}
