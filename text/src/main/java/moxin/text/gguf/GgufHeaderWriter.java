package moxin.text.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/// Writes the header of a GGUF file.
public final class GgufHeaderWriter {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  private GgufHeaderWriter() {}

  /// The header of a file with `pairs` and `tensors`, padded to where the tensors' data begins. The
  /// alignment is what `pairs` say, or the default.
  ///
  /// @param tensors with the offsets at which their data will stand
  public static byte[] toBytes(Map<String, GgufValue> pairs, List<GgufTensorInfo> tensors) {
    GgufHeaderWriter writer = new GgufHeaderWriter();
    writer.int32(GgufHeader.MAGIC);
    writer.int32(GgufHeader.VERSION);
    writer.int64(tensors.size());
    writer.int64(pairs.size());
    pairs.forEach(writer::pair);
    tensors.forEach(writer::tensor);
    int alignment =
        new GgufMetadata("header", pairs)
            .integer(GgufHeader.ALIGNMENT_KEY)
            .orElse(GgufHeader.DEFAULT_ALIGNMENT);
    while (writer.out.size() % alignment != 0) {
      writer.out.write(0);
    }
    return writer.out.toByteArray();
  }

  private void pair(String key, GgufValue value) {
    string(key);
    int32(type(value).number());
    value(value);
  }

  private static GgufType type(GgufValue value) {
    return switch (value) {
      case GgufValue.Text _ -> GgufType.STRING;
      case GgufValue.Flag _ -> GgufType.BOOL;
      case GgufValue.Whole whole -> whole.type();
      case GgufValue.Real real -> real.type();
      case GgufValue.Texts _, GgufValue.Lists _, GgufValue.Numbers _ -> GgufType.ARRAY;
    };
  }

  private void value(GgufValue value) {
    switch (value) {
      case GgufValue.Text text -> string(text.value());
      case GgufValue.Flag flag -> out.write(flag.value() ? 1 : 0);
      case GgufValue.Whole whole -> little(whole.value(), whole.type().byteSize());
      case GgufValue.Real real when real.type() == GgufType.FLOAT32 ->
          int32(Float.floatToRawIntBits((float) real.value()));
      case GgufValue.Real real -> int64(Double.doubleToRawLongBits(real.value()));
      case GgufValue.Texts texts -> {
        array(GgufType.STRING, texts.values().size());
        texts.values().forEach(this::string);
      }
      case GgufValue.Lists lists -> {
        array(GgufType.ARRAY, lists.values().size());
        lists.values().forEach(this::value);
      }
      case GgufValue.Numbers numbers -> {
        array(numbers.elementType(), numbers.size());
        out.writeBytes(numbers.data());
      }
    }
  }

  private void array(GgufType elementType, long count) {
    int32(elementType.number());
    int64(count);
  }

  private void tensor(GgufTensorInfo tensor) {
    string(tensor.name());
    int32(tensor.dimensions().size());
    tensor.dimensions().forEach(this::int64);
    int32(tensor.type());
    int64(tensor.offset());
  }

  private void string(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int64(bytes.length);
    out.writeBytes(bytes);
  }

  private void int32(int value) {
    little(value, Integer.BYTES);
  }

  private void int64(long value) {
    little(value, Long.BYTES);
  }

  private void little(long value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      out.write((int) (value >>> (8 * i)));
    }
  }
}
