package moxin.data.spark;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.function.Consumer;
import moxin.data.StageItem;
import org.jspecify.annotations.Nullable;

/// Lets a reader that pushes feed an iterator that is pulled, with few items between them, so that
/// a file of any size is read in bounded memory.
final class QueueIterator implements Iterator<StageItem>, AutoCloseable {
  private static final int ITEMS = 32;

  private final ArrayBlockingQueue<Message> queue = new ArrayBlockingQueue<>(ITEMS);
  private final Thread producer;
  private @Nullable Message next;

  private sealed interface Message {
    record Item(StageItem item) implements Message {}

    record Failure(Throwable cause) implements Message {}

    record End() implements Message {}
  }

  /// Pushes items.
  @FunctionalInterface
  interface Producer {
    void run(Consumer<StageItem> items) throws Exception;
  }

  QueueIterator(Producer work) {
    producer = Thread.ofVirtual().name("corpus-reader").start(() -> produce(work));
  }

  private void produce(Producer work) {
    try {
      Message last = new Message.End();
      try {
        work.run(item -> put(new Message.Item(item)));
      } catch (ReaderStopped stopped) {
        return;
      } catch (Exception | Error e) {
        last = new Message.Failure(e);
      }
      put(last);
    } catch (ReaderStopped stopped) {
      Thread.currentThread().interrupt();
    }
  }

  private void put(Message message) {
    try {
      queue.put(message);
    } catch (InterruptedException e) {
      throw new ReaderStopped(e);
    }
  }

  @Override
  public boolean hasNext() {
    return peek() instanceof Message.Item;
  }

  @Override
  public StageItem next() {
    if (peek() instanceof Message.Item(StageItem item)) {
      next = null;
      return item;
    }
    throw new NoSuchElementException();
  }

  private Message peek() {
    Message message = next;
    if (message == null) {
      try {
        message = queue.take();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted while reading the corpus", e);
      }
      next = message;
    }
    if (message instanceof Message.Failure(Throwable cause)) {
      throw new IllegalStateException("reading failed: " + cause.getMessage(), cause);
    }
    return message;
  }

  @Override
  public void close() {
    producer.interrupt();
  }

  private static final class ReaderStopped extends RuntimeException {
    private static final long serialVersionUID = 1;

    ReaderStopped(InterruptedException cause) {
      super(cause);
    }
  }
}
