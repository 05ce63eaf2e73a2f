package moxin.train.transformer;

import moxin.model.DType;
import moxin.model.ModelConfig;
import moxin.torch.Device;
import moxin.torch.Scope;
import moxin.torch.Tensor;
import org.jspecify.annotations.Nullable;

/// Keys (rotated) and values of one session. Position p lives in slot `p mod capacity`; the memory,
/// `(2·L·G, slots, D)`, grows with the text until it has as many slots as the capacity.
final class KvCache implements AutoCloseable {
  private static final long FIRST_SLOTS = 64;

  private final ModelConfig config;
  private final int chunk;
  private final DType type;
  private final Device device;
  private final int groups;
  private final int headDim;
  private final long heads;
  private final int window;
  private final int capacity;
  private @Nullable Tensor memory;
  private int slots;
  private int position;
  private int oldest;
  private boolean closed;

  /// @param chunk how many positions at most are written before the first of them is read
  KvCache(ModelConfig config, int chunk, DType type, Device device) {
    this.config = config;
    this.chunk = chunk;
    this.type = type;
    this.device = device;
    this.groups = config.numKeyValueHeads();
    this.headDim = config.headDim();
    this.heads = 2L * config.numHiddenLayers() * groups;
    this.window = config.slidingWindow().orElse(Integer.MAX_VALUE);
    this.capacity =
        config.slidingWindow().isPresent() ? window + chunk - 1 : config.maxPositionEmbeddings();
  }

  /// Some positions of a pass and the slots that hold what they see.
  ///
  /// @param position the first of them
  /// @param count how many
  /// @param firstSlot the first slot
  /// @param slots how many slots
  /// @param mask `(count, 1, slots)`: zero where a position sees a slot, minus infinity elsewhere;
  ///   null where all see all
  record Visible(int position, int count, int firstSlot, int slots, @Nullable Tensor mask) {}

  int position() {
    requireOpen();
    return position;
  }

  /// Makes room for the next `count` positions; the result's mask belongs to the current scope.
  Visible prepare(int count) {
    requireOpen();
    reserve(Math.min((long) position + count, capacity));
    int last = position + count - 1;
    int from = firstVisible(position) % capacity;
    int to = last % capacity;
    if (from > to) {
      from = 0;
      to = capacity - 1;
    }
    int width = to - from + 1;
    boolean allSeen = count == 1 && firstVisible(last) == last - width + 1;
    Tensor mask = allSeen ? null : mask(count, from, width);
    return new Visible(position, count, from, width, mask);
  }

  private Tensor mask(int count, int from, int width) {
    float[] mask = new float[count * width];
    int last = position + count - 1;
    for (int i = 0; i < count; i++) {
      int query = position + i;
      for (int s = 0; s < width; s++) {
        int held = last - Math.floorMod(last - from - s, capacity);
        boolean seen = held >= firstVisible(query) && held <= query;
        mask[i * width + s] = seen ? 0 : Float.NEGATIVE_INFINITY;
      }
    }
    return Tensor.of(mask, device, count, 1, width);
  }

  /// Keys or values of the tokens of a pass, `(N, G, D)`, within a larger array.
  ///
  /// @param offset of the first token's, in elements
  /// @param stride from one token to the next
  record Rows(Tensor array, long offset, long stride) {}

  /// Writes the keys and values of tokens `[from, from + visible.count())` of a pass, which are at
  /// the positions of `visible`.
  void write(int layer, Visible visible, int from, Rows keys, Rows values) {
    for (int done = 0; done < visible.count(); ) {
      int slot = (visible.position() + done) % capacity;
      int some = Math.min(visible.count() - done, capacity - slot);
      view(2 * layer, slot, some).copyFrom(part(keys, from + done, some));
      view(2 * layer + 1, slot, some).copyFrom(part(values, from + done, some));
      done += some;
    }
  }

  /// The keys of what is visible, `(G, slots, D)`.
  Tensor keys(int layer, Visible visible) {
    return view(2 * layer, visible.firstSlot(), visible.slots());
  }

  /// The values of what is visible, `(G, slots, D)`.
  Tensor values(int layer, Visible visible) {
    return view(2 * layer + 1, visible.firstSlot(), visible.slots());
  }

  /// Counts `count` positions as written.
  void advance(int count) {
    position += count;
    oldest = Math.max(oldest, position - capacity);
  }

  boolean canRewindTo(int target) {
    requireOpen();
    return target >= 0
        && target <= position
        && (target == position || firstVisible(target) >= oldest);
  }

  void rewindTo(int target) {
    if (!canRewindTo(target)) {
      throw new IllegalArgumentException(
          "cannot rewind from position " + position + " to " + target);
    }
    position = target;
  }

  /// How many positions may be written next without overwriting what a rewind to here needs.
  int rewindReach() {
    requireOpen();
    return capacity - (position - firstVisible(position));
  }

  /// A copy of the first `target` positions. The caller closes it.
  ///
  /// @throws IllegalArgumentException unless this cache can rewind to `target`
  KvCache fork(int target) {
    if (!canRewindTo(target)) {
      throw new IllegalArgumentException("cannot fork at position " + target + " of " + position);
    }
    KvCache fork = new KvCache(config, chunk, type, device);
    Tensor held = memory;
    if (held != null) {
      // All slots are copied: what is visible may lie in any of them, and the rest must be finite.
      try (Scope scope = Scope.open()) {
        Tensor copy = Tensor.empty(type, device, heads, slots, headDim);
        copy.copyFrom(held);
        scope.detach();
        fork.memory = copy;
      }
    }
    fork.slots = slots;
    fork.position = target;
    fork.oldest = oldest;
    return fork;
  }

  @Override
  public void close() {
    closed = true;
    if (memory != null) {
      memory.close();
      memory = null;
    }
  }

  private int firstVisible(int query) {
    return Math.max(0, query - window + 1);
  }

  /// Slots `[slot, slot + count)` of all groups of one of the 2·L arrays.
  private Tensor view(int array, int slot, int count) {
    if (memory == null) {
      throw new IllegalStateException("the cache is empty");
    }
    long stride = (long) slots * headDim;
    return memory.view(
        (long) array * groups * stride + (long) slot * headDim,
        new long[] {groups, count, headDim},
        new long[] {stride, headDim, 1});
  }

  /// Tokens `[from, from + count)` as `(G, count, D)`.
  private Tensor part(Rows rows, int from, int count) {
    return rows.array()
        .view(
            rows.offset() + from * rows.stride(),
            new long[] {groups, count, headDim},
            new long[] {headDim, rows.stride(), 1});
  }

  private void reserve(long needed) {
    if (needed <= slots) {
      return;
    }
    int wanted = (int) Math.min(capacity, Math.max(Math.max(FIRST_SLOTS, needed), 2L * slots));
    try (Scope scope = Scope.open()) {
      // Zeros, since what is not visible is multiplied by a probability of zero.
      Tensor grown = Tensor.zeros(type, device, heads, wanted, headDim);
      Tensor old = memory;
      if (old != null) {
        try (Scope _ = Scope.open()) {
          long[] shape = {heads, slots, headDim};
          grown.view(0, shape, new long[] {(long) wanted * headDim, headDim, 1}).copyFrom(old);
        }
        old.close();
      }
      scope.detach();
      memory = grown;
      slots = wanted;
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the session is closed");
    }
  }
}
