package moxin.eval;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZOutputStream;

/// What `xz -9` makes of the same text: the yardstick beside a model's bits per byte.
public final class XzBaseline {

  private XzBaseline() {}

  /// Bits per byte of `texts`, joined by line feeds and compressed as one stream with preset 9.
  ///
  /// @throws IllegalArgumentException if there is no text
  public static double bitsPerByte(List<String> texts) {
    CountingStream packed = new CountingStream();
    long bytes = 0;
    try (XZOutputStream xz = new XZOutputStream(packed, new LZMA2Options(9))) {
      for (String text : texts) {
        byte[] utf8 = (text + "\n").getBytes(StandardCharsets.UTF_8);
        xz.write(utf8);
        bytes += utf8.length;
      }
    } catch (IOException e) {
      throw new IllegalStateException("writing to memory does not fail", e);
    }
    if (bytes == 0) {
      throw new IllegalArgumentException("no text to compress");
    }
    return 8.0 * packed.count / bytes;
  }

  private static final class CountingStream extends OutputStream {
    private long count;

    @Override
    public void write(int b) {
      count++;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      count += length;
    }
  }
}
