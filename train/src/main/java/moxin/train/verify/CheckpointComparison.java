package moxin.train.verify;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Stream;
import moxin.job.ContentHash;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.TensorView;

/// Compares the tensors of two checkpoints, bit by bit.
final class CheckpointComparison {
  private static final String SUFFIX = ".safetensors";
  private static final String ABSENT = "absent";

  private CheckpointComparison() {}

  /// The tensor files of both by SHA-256, in the order of their names.
  static List<FileHash> hashes(Path whole, Path killed) throws IOException {
    SortedSet<String> names = new TreeSet<>(tensorFiles(whole));
    names.addAll(tensorFiles(killed));
    List<FileHash> hashes = new ArrayList<>();
    for (String name : names) {
      hashes.add(new FileHash(name, hash(whole.resolve(name)), hash(killed.resolve(name))));
    }
    return hashes;
  }

  /// The first tensor that differs in `files`, and how; empty if all bits are the same.
  static Optional<String> firstDifference(Path whole, Path killed, List<FileHash> files)
      throws IOException {
    for (FileHash file : files) {
      if (!file.isEqual()) {
        return Optional.of(file.file() + ": " + difference(whole, killed, file));
      }
    }
    return Optional.empty();
  }

  private static String difference(Path whole, Path killed, FileHash file) throws IOException {
    if (file.whole().equals(ABSENT) || file.killed().equals(ABSENT)) {
      return "only in the " + (file.killed().equals(ABSENT) ? "undisturbed" : "killed") + " run";
    }
    try (SafetensorsCheckpoint expected = SafetensorsCheckpoint.open(whole.resolve(file.file()));
        SafetensorsCheckpoint found = SafetensorsCheckpoint.open(killed.resolve(file.file()))) {
      SortedSet<String> names = new TreeSet<>(expected.names());
      names.addAll(found.names());
      for (String name : names) {
        if (!expected.names().contains(name) || !found.names().contains(name)) {
          return "tensor " + name + " is in one run alone";
        }
        Optional<String> difference = difference(expected.tensor(name), found.tensor(name));
        if (difference.isPresent()) {
          return "tensor " + name + ": " + difference.get();
        }
      }
    }
    return "the tensors are the same, the headers differ";
  }

  private static Optional<String> difference(TensorView expected, TensorView found) {
    if (expected.dtype() != found.dtype() || !expected.shape().equals(found.shape())) {
      return Optional.of(shape(expected) + " undisturbed, " + shape(found) + " killed");
    }
    long at = expected.data().mismatch(found.data());
    if (at < 0) {
      return Optional.empty();
    }
    int width = expected.dtype().byteSize();
    long element = at / width;
    return Optional.of(
        "element "
            + element
            + " of "
            + expected.elements()
            + " has the bits "
            + bits(expected.data(), element, width)
            + " undisturbed, "
            + bits(found.data(), element, width)
            + " killed");
  }

  private static String shape(TensorView tensor) {
    return tensor.dtype().name() + tensor.shape();
  }

  /// The bytes of an element, the most significant first.
  private static String bits(MemorySegment data, long element, int width) {
    StringBuilder hex = new StringBuilder();
    for (int i = width - 1; i >= 0; i--) {
      hex.append("%02x".formatted(data.get(ValueLayout.JAVA_BYTE, element * width + i)));
    }
    return hex.toString();
  }

  private static List<String> tensorFiles(Path checkpoint) throws IOException {
    try (Stream<Path> files = Files.walk(checkpoint)) {
      return files
          .filter(file -> file.getFileName().toString().endsWith(SUFFIX))
          .map(file -> checkpoint.relativize(file).toString())
          .toList();
    }
  }

  private static String hash(Path file) throws IOException {
    return Files.isRegularFile(file) ? ContentHash.ofFile(file) : ABSENT;
  }
}
