package moxin.model;

import java.util.Comparator;
import java.util.List;
import java.util.Map;

/// The header of a safetensors file, checked against the format's specification: names are unique,
/// sizes agree with shapes, and the tensors cover the data without gap or overlap.
///
/// @param tensors in the order of their data
/// @param metadata the strings under `__metadata__`
record SafetensorsHeader(List<Entry> tensors, Map<String, String> metadata) {

  /// Longer headers are refused, as by the reference implementation.
  static final int MAX_BYTES = 100_000_000;

  static final String METADATA = "__metadata__";

  /// A tensor and where its data lies.
  ///
  /// @param begin the first byte, counted from the end of the header
  /// @param end one past the last byte
  record Entry(TensorSpec spec, long begin, long end) {}

  SafetensorsHeader {
    tensors = List.copyOf(tensors);
    metadata = Map.copyOf(metadata);
  }

  /// Parses and checks a header.
  ///
  /// @param origin names the file in errors
  /// @param dataBytes how many bytes follow the header in the file
  static SafetensorsHeader parse(String origin, byte[] header, long dataBytes) {
    if (header.length == 0 || header[0] != '{') {
      throw new CheckpointFormatException(origin + ": byte 8: a header begins with {");
    }
    SafetensorsHeader read = SafetensorsHeaderReader.read(origin, header);
    List<Entry> entries =
        read.tensors.stream()
            .sorted(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end))
            .toList();
    requireCover(origin, entries, dataBytes);
    return new SafetensorsHeader(entries, read.metadata);
  }

  private static void requireCover(String origin, List<Entry> entries, long dataBytes) {
    long position = 0;
    for (Entry entry : entries) {
      if (entry.begin() != position) {
        throw new CheckpointFormatException(
            origin
                + ": tensor "
                + CheckpointJson.oneLine(entry.spec().name())
                + " begins at byte "
                + entry.begin()
                + " of the data, "
                + (entry.begin() < position ? "inside" : "beyond")
                + " the one before, which ends at "
                + position);
      }
      position = entry.end();
    }
    if (position != dataBytes) {
      throw new CheckpointFormatException(
          origin
              + ": the header describes "
              + position
              + " bytes of data, the file has "
              + dataBytes);
    }
  }
}
