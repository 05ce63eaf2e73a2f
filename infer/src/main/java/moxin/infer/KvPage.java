package moxin.infer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;

/// Native memory that caches own together: the keys and values of some neighbouring positions. A
/// page is written only while it has one owner, and freed when the last lets go of it. The count of
/// owners is thread-safe; what is in the page is its only owner's to guard.
final class KvPage {
  private static final long ALIGNMENT = 64;

  private final Arena arena;
  private final MemorySegment memory;
  private final AtomicInteger owners = new AtomicInteger(1);

  private KvPage(Arena arena, long byteSize) {
    this.arena = arena;
    this.memory = arena.allocate(byteSize, ALIGNMENT);
  }

  /// A page of zeros with one owner.
  @SuppressWarnings("MustBeClosedChecker") // the last owner closes it
  static KvPage allocate(long byteSize) {
    Arena arena = Arena.ofShared();
    boolean allocated = false;
    try {
      KvPage page = new KvPage(arena, byteSize);
      allocated = true;
      return page;
    } finally {
      if (!allocated) {
        arena.close();
      }
    }
  }

  /// What is in the page; not to be written while it [#isShared].
  MemorySegment memory() {
    return memory;
  }

  boolean isShared() {
    return owners.get() > 1;
  }

  /// This page, with one more owner.
  KvPage share() {
    owners.incrementAndGet();
    return this;
  }

  /// A page with the same content for one of the owners, which lets go of this one.
  KvPage split() {
    KvPage copy = allocate(memory.byteSize());
    copy.memory.copyFrom(memory);
    release();
    return copy;
  }

  /// One owner lets go.
  void release() {
    if (owners.decrementAndGet() == 0) {
      arena.close();
    }
  }
}
