package moxin.text.shard;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The header of a NumPy `.npy` file of integers, one- or two-dimensional in C order.
///
/// Format: numpy/lib/format.py, versions 1.0 to 3.0: magic, version, header length, and a Python
/// dictionary literal padded with spaces.
///
/// @param dataOffset the position of the first element in the file
/// @param rows the first dimension of a two-dimensional array; 1 for a one-dimensional one
/// @param columns the last dimension
record NpyHeader(TokenType type, long dataOffset, boolean twoDimensional, long rows, long columns) {

  /// The size of the headers written here; fixed, so that the shape can be filled in at the end.
  static final int WRITTEN_BYTES = 128;

  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final int MAX_HEADER_BYTES = 1 << 16;
  private static final Pattern ENTRY =
      Pattern.compile(
          "\\s*['\"](\\w{1,20})['\"]\\s*:\\s*('[^']{0,80}'|\"[^\"]{0,80}\"|\\([^)]{0,80}\\)|True|False)\\s*,?");
  private static final Pattern SHAPE =
      Pattern.compile("\\(\\s*(\\d{1,18})\\s*,?\\s*(?:(\\d{1,18})\\s*,?\\s*)?\\)");

  /// The number of elements.
  long size() {
    return rows * columns;
  }

  /// The header of a one-dimensional array.
  static ByteBuffer write(TokenType type, long size) {
    String dictionary =
        "{'descr': '%s', 'fortran_order': False, 'shape': (%d,), }".formatted(type.descr(), size);
    int bodyBytes = WRITTEN_BYTES - MAGIC.length - 4;
    ByteBuffer header = ByteBuffer.allocate(WRITTEN_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    header.put(MAGIC).put((byte) 1).put((byte) 0).putShort((short) bodyBytes);
    header.put(dictionary.getBytes(StandardCharsets.US_ASCII));
    while (header.position() < WRITTEN_BYTES - 1) {
      header.put((byte) ' ');
    }
    return header.put((byte) '\n').flip();
  }

  /// The number of bytes to read before [#parse] can be called, from the first twelve of a file.
  static int byteSize(String file, ByteBuffer start) {
    ByteBuffer in = start.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    byte[] magic = new byte[MAGIC.length];
    if (in.remaining() < 12) {
      throw bad(file, "a file of " + in.remaining() + " bytes is too short for a .npy file");
    }
    in.get(magic);
    if (!java.util.Arrays.equals(magic, MAGIC)) {
      throw bad(file, "the first bytes are not those of a .npy file");
    }
    int major = in.get();
    int minor = in.get();
    if (major < 1 || major > 3 || minor != 0) {
      throw bad(file, "found .npy version " + major + "." + minor + ", expected 1.0, 2.0 or 3.0");
    }
    long prefix = major == 1 ? 10 : 12;
    long body = major == 1 ? in.getShort() & 0xffffL : in.getInt() & 0xffffffffL;
    if (body > MAX_HEADER_BYTES) {
      throw bad(file, "a header of " + body + " bytes, expected at most " + MAX_HEADER_BYTES);
    }
    return (int) (prefix + body);
  }

  /// Parses the whole header, `byteSize` bytes long, of a file of `fileSize` bytes.
  static NpyHeader parse(String file, ByteBuffer header, long fileSize) {
    int prefix = header.get(MAGIC.length) == 1 ? 10 : 12;
    byte[] body = new byte[header.remaining() - prefix];
    header.get(header.position() + prefix, body);
    String text = new String(body, StandardCharsets.ISO_8859_1).strip();
    if (!text.startsWith("{") || !text.endsWith("}")) {
      throw bad(file, "the header at byte " + prefix + " is not a dictionary");
    }
    Fields fields = fields(file, text.substring(1, text.length() - 1));
    TokenType type =
        TokenType.of(fields.descr)
            .orElseThrow(
                () ->
                    bad(
                        file,
                        "descr is "
                            + fields.descr
                            + ", expected one of "
                            + TokenType.ALL_DESCRIPTIONS));
    Matcher shape = SHAPE.matcher(fields.shape);
    if (!shape.matches()) {
      throw bad(file, "shape is " + fields.shape + ", expected one or two dimensions");
    }
    boolean twoDimensional = shape.group(2) != null;
    if (twoDimensional && fields.fortranOrder.equals("True")) {
      throw bad(file, "fortran_order is True, expected a two-dimensional array in C order");
    }
    long rows = twoDimensional ? Long.parseLong(shape.group(1)) : 1;
    long columns = Long.parseLong(shape.group(twoDimensional ? 2 : 1));
    NpyHeader result =
        new NpyHeader(type, (long) prefix + body.length, twoDimensional, rows, columns);
    result.requireFits(file, fileSize);
    return result;
  }

  private void requireFits(String file, long fileSize) {
    long available = (fileSize - dataOffset) / type.byteSize();
    if (rows != 0 && columns > available / rows) {
      throw bad(
          file,
          "shape (%d, %d) of %s does not fit in the %d bytes after the header"
              .formatted(rows, columns, type.descr(), fileSize - dataOffset));
    }
    if (twoDimensional && rows > Integer.MAX_VALUE) {
      throw bad(file, rows + " rows, expected at most " + Integer.MAX_VALUE);
    }
  }

  private record Fields(String descr, String fortranOrder, String shape) {}

  private static Fields fields(String file, String dictionary) {
    String descr = "";
    String fortranOrder = "";
    String shape = "";
    Matcher entry = ENTRY.matcher(dictionary);
    int position = 0;
    while (entry.region(position, dictionary.length()).lookingAt()) {
      String value = entry.group(2);
      switch (entry.group(1)) {
        case "descr" -> descr = value.substring(1, value.length() - 1);
        case "fortran_order" -> fortranOrder = value;
        case "shape" -> shape = value;
        default -> throw bad(file, "unknown header key " + entry.group(1));
      }
      position = entry.end();
    }
    if (!dictionary.substring(position).isBlank()
        || descr.isEmpty()
        || fortranOrder.isEmpty()
        || shape.isEmpty()) {
      throw bad(file, "the header does not state descr, fortran_order and shape");
    }
    return new Fields(descr, fortranOrder, shape);
  }

  private static TokenShardFormatException bad(String file, String what) {
    return new TokenShardFormatException(file + ": " + what);
  }

  /// The element types that token arrays have.
  enum TokenType {
    U1("|u1", 1),
    U2("<u2", 2),
    U4("<u4", 4),
    I4("<i4", 4),
    I8("<i8", 8);

    static final String ALL_DESCRIPTIONS = "|u1 <u2 <u4 <i4 <i8";

    private final String descr;
    private final int byteSize;

    TokenType(String descr, int byteSize) {
      this.descr = descr;
      this.byteSize = byteSize;
    }

    String descr() {
      return descr;
    }

    int byteSize() {
      return byteSize;
    }

    static Optional<TokenType> of(String descr) {
      for (TokenType type : values()) {
        if (type.descr.equals(descr)) {
          return Optional.of(type);
        }
      }
      return Optional.empty();
    }

    /// The narrowest written type for ids below `vocabSize`.
    static TokenType forVocabulary(int vocabSize) {
      return vocabSize <= 1 << 16 ? U2 : U4;
    }
  }
}
