package moxin.train.transformer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import moxin.collective.Communicator;
import moxin.train.AdamW;
import moxin.train.Batch;
import org.jspecify.annotations.Nullable;

/// What the leader of a distributed learner, process 0, tells the others to do with it. The leader
/// gives what is told; the others pass null and get it.
final class Orders {
  private static final int WORDS = 8;
  private static final List<Kind> KINDS = List.of(Kind.values());

  private final Communicator communicator;

  Orders(Communicator communicator) {
    this.communicator = communicator;
  }

  /// A method of [ShardedLearner] or [ShardFiles], or what becomes of the learner.
  enum Kind {
    CREATE,
    ACCUMULATE,
    EVALUATE,
    NORM,
    STEP,
    DISCARD,
    WEIGHTS,
    GRADIENTS,
    MOMENTS,
    SET_WEIGHTS,
    SET_MOMENTS,
    WRITE,
    CLOSE,
    END
  }

  /// What to do, with up to seven numbers.
  record Order(Kind kind, long[] numbers) {
    int integer(int index) {
      return Math.toIntExact(numbers[index]);
    }

    double real(int index) {
      return Double.longBitsToDouble(numbers[index]);
    }
  }

  void give(Kind kind, long... numbers) {
    long[] words = new long[WORDS];
    words[0] = KINDS.indexOf(kind);
    System.arraycopy(numbers, 0, words, 1, numbers.length);
    share(words);
  }

  Order take() {
    long[] words = share(new long[WORDS]);
    return new Order(KINDS.get(Math.toIntExact(words[0])), Arrays.copyOfRange(words, 1, WORDS));
  }

  private long[] share(long[] words) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment data = arena.allocateFrom(ValueLayout.JAVA_LONG, words);
      communicator.broadcast(data, 0);
      return data.toArray(ValueLayout.JAVA_LONG);
    }
  }

  /// A batch of a known shape.
  Batch batch(@Nullable Batch batch, int rows, int length) {
    int size = Math.multiplyExact(rows, length);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment data = arena.allocate(ValueLayout.JAVA_INT, 3L * size);
      if (batch != null) {
        MemorySegment.copy(batch.ids(), 0, data, ValueLayout.JAVA_INT, 0, size);
        MemorySegment.copy(batch.targets(), 0, data, ValueLayout.JAVA_INT, 4L * size, size);
        MemorySegment.copy(batch.segments(), 0, data, ValueLayout.JAVA_INT, 8L * size, size);
      }
      communicator.broadcast(data, 0);
      int[] all = data.toArray(ValueLayout.JAVA_INT);
      return batch != null
          ? batch
          : new Batch(
              rows,
              length,
              Arrays.copyOfRange(all, 0, size),
              Arrays.copyOfRange(all, size, 2 * size),
              Arrays.copyOfRange(all, 2 * size, 3 * size));
    }
  }

  /// A text of a known length in UTF-8.
  String text(@Nullable String text, int byteCount) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment data = arena.allocate(byteCount);
      if (text != null) {
        data.copyFrom(MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8)));
      }
      communicator.broadcast(data, 0);
      return new String(data.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }
  }

  /// The settings of an update.
  AdamW adamW(@Nullable AdamW given) {
    try (Arena arena = Arena.ofShared()) {
      double[] values = new double[7];
      if (given != null) {
        values =
            new double[] {
              given.beta1(),
              given.beta2(),
              given.epsilon(),
              given.weightDecay(),
              given.decayEmbeddings() ? 1 : 0,
              given.decayNorms() ? 1 : 0,
              given.gradientClip()
            };
      }
      MemorySegment data = arena.allocateFrom(ValueLayout.JAVA_DOUBLE, values);
      communicator.broadcast(data, 0);
      double[] v = data.toArray(ValueLayout.JAVA_DOUBLE);
      return new AdamW(v[0], v[1], v[2], v[3], v[4] != 0, v[5] != 0, v[6]);
    }
  }
}
