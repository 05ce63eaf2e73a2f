package moxin.model;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Reads the JSON of a safetensors header token by token, so that a header's memory stays in
/// proportion to the tensors it names, whatever else it holds. Keys the format does not know are
/// passed over.
final class SafetensorsHeaderReader {

  private static final int MAX_RANK = 64;

  private final String origin;
  private final JsonParser parser;
  private final List<SafetensorsHeader.Entry> entries = new ArrayList<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();

  private SafetensorsHeaderReader(String origin, JsonParser parser) {
    this.origin = origin;
    this.parser = parser;
  }

  /// Reads `header`; the entries come in the order in which they stand there.
  static SafetensorsHeader read(String origin, byte[] header) {
    try (JsonParser parser = CheckpointJson.parser(header)) {
      SafetensorsHeaderReader reader = new SafetensorsHeaderReader(origin, parser);
      reader.readRoot();
      return new SafetensorsHeader(reader.entries, reader.metadata);
    } catch (JsonProcessingException e) {
      throw new CheckpointFormatException(
          origin + ": header: " + CheckpointJson.oneLine(e.getOriginalMessage()), e);
    } catch (IOException e) {
      throw new CheckpointFormatException(
          origin + ": header: " + CheckpointJson.oneLine(String.valueOf(e.getMessage())), e);
    }
  }

  private void readRoot() throws IOException {
    expect(parser.nextToken() == JsonToken.START_OBJECT, "header", "an object");
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      parser.nextToken();
      if (name.equals(SafetensorsHeader.METADATA)) {
        readMetadata();
      } else {
        entries.add(readTensor(name));
      }
    }
    expect(parser.nextToken() == null, "header", "nothing after its end");
  }

  private void readMetadata() throws IOException {
    String where = SafetensorsHeader.METADATA;
    expect(parser.currentToken() == JsonToken.START_OBJECT, where, "an object of strings");
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = parser.currentName();
      expect(parser.nextToken() == JsonToken.VALUE_STRING, where, "an object of strings");
      metadata.put(key, parser.getText());
    }
  }

  private SafetensorsHeader.Entry readTensor(String name) throws IOException {
    String where = "tensor " + CheckpointJson.oneLine(name);
    DType dtype = null;
    List<Long> shape = null;
    List<Long> offsets = null;
    expect(parser.currentToken() == JsonToken.START_OBJECT, where, "an object");
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = parser.currentName();
      parser.nextToken();
      switch (key) {
        case "dtype" -> dtype = readDType(where);
        case "shape" -> shape = readWholeNumbers(where + ": shape", MAX_RANK);
        case "data_offsets" -> offsets = readWholeNumbers(where + ": data_offsets", 2);
        default -> parser.skipChildren();
      }
    }
    return entry(name, where, dtype, shape, offsets);
  }

  private SafetensorsHeader.Entry entry(
      String name,
      String where,
      @Nullable DType dtype,
      @Nullable List<Long> shape,
      @Nullable List<Long> offsets) {
    if (dtype == null || shape == null || offsets == null) {
      throw wrong(where, "dtype, shape and data_offsets");
    }
    if (offsets.size() != 2 || offsets.get(1) < offsets.get(0)) {
      throw wrong(where + ": data_offsets " + offsets, "a beginning and an end");
    }
    TensorSpec spec = new TensorSpec(name, dtype, shape);
    long bytes = offsets.get(1) - offsets.get(0);
    long needed;
    try {
      needed = spec.byteSize();
    } catch (ArithmeticException e) {
      throw new CheckpointFormatException(
          origin + ": " + where + ": shape " + shape + " is too large", e);
    }
    if (bytes != needed) {
      throw wrong(where + ": data_offsets " + offsets, needed + " bytes for " + dtype + shape);
    }
    return new SafetensorsHeader.Entry(spec, offsets.get(0), offsets.get(1));
  }

  private DType readDType(String where) throws IOException {
    expect(parser.currentToken() == JsonToken.VALUE_STRING, where + ": dtype", "a string");
    String name = parser.getText();
    for (DType dtype : DType.values()) {
      if (dtype.name().equals(name) && !dtype.isQuantised()) {
        return dtype;
      }
    }
    throw wrong(
        where + ": dtype " + CheckpointJson.oneLine(name),
        "one of " + Arrays.stream(DType.values()).filter(type -> !type.isQuantised()).toList());
  }

  private List<Long> readWholeNumbers(String where, int most) throws IOException {
    List<Long> numbers = new ArrayList<>();
    expect(parser.currentToken() == JsonToken.START_ARRAY, where, "a list");
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      expect(parser.currentToken() == JsonToken.VALUE_NUMBER_INT, where, "whole numbers");
      expect(isLong(parser.getNumberType()), where, "numbers below 2^63");
      expect(parser.getLongValue() >= 0, where, "numbers from 0 up");
      expect(numbers.size() < most, where, "at most " + most + " numbers");
      numbers.add(parser.getLongValue());
    }
    return numbers;
  }

  private static boolean isLong(JsonParser.NumberType type) {
    return type == JsonParser.NumberType.INT || type == JsonParser.NumberType.LONG;
  }

  private void expect(boolean holds, String where, String expected) {
    if (!holds) {
      throw wrong(where, expected);
    }
  }

  private CheckpointFormatException wrong(String where, String expected) {
    return new CheckpointFormatException(origin + ": " + where + ": expected " + expected);
  }
}
