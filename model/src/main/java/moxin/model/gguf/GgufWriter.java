package moxin.model.gguf;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import moxin.job.AtomicFile;
import moxin.model.TensorSpec;
import moxin.text.gguf.GgufHeader;
import moxin.text.gguf.GgufHeaderWriter;
import moxin.text.gguf.GgufTensorInfo;
import moxin.text.gguf.GgufValue;

/// Writes GGUF files; each appears whole or not at all. The same content gives the same bytes.
public final class GgufWriter {

  private static final int ALIGNMENT = GgufHeader.DEFAULT_ALIGNMENT;

  private GgufWriter() {}

  /// Hands out the data of tensors one at a time and in pieces, so that a model larger than memory
  /// can be written.
  @FunctionalInterface
  public interface Source {

    /// Puts all data of `spec` into `sink`, in order.
    void write(TensorSpec spec, Sink sink) throws IOException;
  }

  /// Takes the data of a tensor.
  @FunctionalInterface
  public interface Sink {

    /// Takes the next bytes, from native memory; they are written when this returns.
    void put(MemorySegment bytes) throws IOException;
  }

  /// Writes a file with `pairs` and the tensors that `specs` announces.
  ///
  /// @param specs under GGUF's names, with shapes outermost dimension first
  /// @throws IllegalArgumentException if two tensors have one name or one that is too long, ggml
  ///   has no such type, or the source gives more or less than was announced
  public static void write(
      Path file, Map<String, GgufValue> pairs, List<TensorSpec> specs, Source source)
      throws IOException {
    byte[] header = GgufHeaderWriter.toBytes(pairs, table(specs));
    AtomicFile.write(
        file,
        channel -> {
          writeFully(channel, ByteBuffer.wrap(header));
          for (TensorSpec spec : specs) {
            Counter sink = new Counter(channel);
            source.write(spec, sink);
            if (sink.bytes != spec.byteSize()) {
              throw new IllegalArgumentException(
                  "asked for the "
                      + spec.byteSize()
                      + " bytes of "
                      + spec
                      + ", given "
                      + sink.bytes);
            }
            int padding = (int) (aligned(sink.bytes) - sink.bytes);
            writeFully(channel, ByteBuffer.allocate(padding));
          }
        });
  }

  private static List<GgufTensorInfo> table(List<TensorSpec> specs) {
    Set<String> names = new HashSet<>();
    List<GgufTensorInfo> table = new ArrayList<>();
    long offset = 0;
    for (TensorSpec spec : specs) {
      if (!names.add(spec.name()) || spec.name().length() > GgufHeader.MAX_NAME_BYTES) {
        throw new IllegalArgumentException(
            "no second tensor and none may be called " + spec.name());
      }
      int type = GgufTypes.number(spec.dtype());
      table.add(new GgufTensorInfo(spec.name(), spec.shape().reversed(), type, offset));
      offset = Math.addExact(offset, aligned(spec.byteSize()));
    }
    return table;
  }

  private static long aligned(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  private static final class Counter implements Sink {
    private final FileChannel channel;
    private long bytes;

    Counter(FileChannel channel) {
      this.channel = channel;
    }

    @Override
    public void put(MemorySegment piece) throws IOException {
      bytes += piece.byteSize();
      writeFully(channel, piece.asByteBuffer());
    }
  }

  private static void writeFully(FileChannel channel, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }
}
