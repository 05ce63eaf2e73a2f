package moxin.collective;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// How two processes of a job recognise each other on a fresh connection: each proves by an
/// HMAC-SHA256 over what the other has just drawn at random that it knows the job's token, which is
/// never sent. Nothing that a stranger sends is believed or makes this side allocate.
///
///     accepts: magic, version, its rank, nonce(32)
///     dials:   magic, version, nonce(32), size, rank, port, name, mac(32)
///     accepts: answer, mac(32)
final class Handshake {
  private static final long MAGIC = 0x4D4F58494E4A4F42L; // MOXINJOB
  private static final int VERSION = 1;
  private static final int NONCE_BYTES = 32;
  private static final int MAC_BYTES = 32;
  private static final int MOST_NAME_BYTES = 256;
  private static final int TIMEOUT_MILLIS = 10_000;
  private static final List<Answer> ANSWERS = List.of(Answer.values());
  private static final SecureRandom RANDOM = new SecureRandom();

  private final String token;
  private final DataInputStream in;
  private final DataOutputStream out;
  private byte[] proof = {};

  /// A handshake on a connection, which it borrows.
  Handshake(Socket socket, String token) throws IOException {
    this.token = token;
    socket.setSoTimeout(TIMEOUT_MILLIS);
    this.in = new DataInputStream(socket.getInputStream());
    this.out = new DataOutputStream(socket.getOutputStream());
  }

  /// Who dials.
  ///
  /// @param size how many processes it believes the job to have
  /// @param port where it listens itself
  record Hello(int size, int rank, int port, String name) {}

  /// What the accepting side says to it.
  enum Answer {
    WELCOME,
    WRONG_TOKEN,
    WRONG_SIZE,
    TAKEN_RANK
  }

  /// The other side is no process of this job. The message says how it differs.
  static final class StrangerException extends IOException {
    @java.io.Serial private static final long serialVersionUID = 1;

    StrangerException(String message) {
      super(message);
    }
  }

  /// The accepting side: who dials, once it has proved to know the token. What does not is answered
  /// here.
  Hello accept(int ownRank) throws IOException {
    byte[] nonce = nonce();
    ByteBuffer challenge = ByteBuffer.allocate(16 + NONCE_BYTES);
    out.write(challenge.putLong(MAGIC).putInt(VERSION).putInt(ownRank).put(nonce).array());
    requireMagic();
    byte[] theirs = in.readNBytes(NONCE_BYTES);
    ByteBuffer numbers = ByteBuffer.wrap(in.readNBytes(12));
    if (numbers.remaining() < 12) {
      throw new StrangerException("it hangs up");
    }
    byte[] name = text();
    byte[] mac = in.readNBytes(MAC_BYTES);
    proof = mac(concat(new byte[] {1}, theirs, nonce));
    byte[] expected = mac(concat(new byte[] {0}, nonce, theirs, numbers.array(), name));
    if (!MessageDigest.isEqual(mac, expected)) {
      answer(Answer.WRONG_TOKEN);
      throw new StrangerException("it does not know the token");
    }
    return new Hello(
        numbers.getInt(),
        numbers.getInt(),
        numbers.getInt(),
        new String(name, StandardCharsets.UTF_8));
  }

  /// Tells the dialling side what becomes of it.
  void answer(Answer answer) throws IOException {
    byte[] said = {(byte) ANSWERS.indexOf(answer)};
    out.write(concat(said, mac(concat(proof, said))));
  }

  /// The dialling side: introduces itself to process `target`, and returns its answer.
  ///
  /// @throws StrangerException if what answers is not that process
  Answer dial(Hello hello, int target) throws IOException {
    requireMagic();
    int theirRank = in.readInt();
    if (theirRank != target) {
      throw new StrangerException("it is process " + theirRank);
    }
    byte[] nonce = in.readNBytes(NONCE_BYTES);
    byte[] own = nonce();
    byte[] name = hello.name().getBytes(StandardCharsets.UTF_8);
    name = Arrays.copyOf(name, Math.min(name.length, MOST_NAME_BYTES));
    byte[] numbers =
        ByteBuffer.allocate(12)
            .putInt(hello.size())
            .putInt(hello.rank())
            .putInt(hello.port())
            .array();
    ByteBuffer head = ByteBuffer.allocate(12 + NONCE_BYTES).putLong(MAGIC).putInt(VERSION).put(own);
    byte[] length = ByteBuffer.allocate(2).putShort((short) name.length).array();
    byte[] mac = mac(concat(new byte[] {0}, nonce, own, numbers, name));
    out.write(concat(head.array(), numbers, length, name, mac));
    int answer = in.readUnsignedByte();
    byte[] signed = in.readNBytes(MAC_BYTES);
    if (answer >= ANSWERS.size()) {
      throw new StrangerException("it speaks another language");
    }
    byte[] expected =
        mac(concat(mac(concat(new byte[] {1}, own, nonce)), new byte[] {(byte) answer}));
    if (ANSWERS.get(answer) != Answer.WRONG_TOKEN && !MessageDigest.isEqual(signed, expected)) {
      throw new StrangerException("it does not know this process's " + Rendezvous.TOKEN);
    }
    return ANSWERS.get(answer);
  }

  private void requireMagic() throws IOException {
    long magic;
    try {
      magic = in.readLong();
    } catch (SocketTimeoutException e) {
      throw new StrangerException("it is silent");
    }
    if (magic != MAGIC) {
      throw new StrangerException("it is no process of Moxin");
    }
    int version = in.readInt();
    if (version != VERSION) {
      throw new StrangerException("it is another version of Moxin");
    }
  }

  private byte[] text() throws IOException {
    int length = in.readUnsignedShort();
    if (length > MOST_NAME_BYTES) {
      throw new StrangerException("its name is too long");
    }
    return in.readNBytes(length);
  }

  private static byte[] nonce() {
    byte[] nonce = new byte[NONCE_BYTES];
    RANDOM.nextBytes(nonce);
    return nonce;
  }

  private byte[] mac(byte[] data) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      byte[] key = ("moxin " + token).getBytes(StandardCharsets.UTF_8);
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      return mac.doFinal(data);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java has HmacSHA256", e);
    }
  }

  private static byte[] concat(byte[]... parts) {
    int length = Arrays.stream(parts).mapToInt(part -> part.length).sum();
    ByteBuffer all = ByteBuffer.allocate(length);
    Arrays.stream(parts).forEach(all::put);
    return all.array();
  }
}
