package moxin.train.run;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import moxin.job.Progress;
import moxin.train.recipe.OnFullDisk;

/// What is done when the disk is full: fail, or wait for room. Thread-safe.
final class FullDisk {
  private static final List<String> REASONS =
      List.of("no space left on device", "quota exceeded", "not enough space on the disk");

  private final OnFullDisk policy;
  private final Duration pause;
  private final Progress progress;

  /// @param pause between two attempts
  FullDisk(OnFullDisk policy, Duration pause, Progress progress) {
    this.policy = policy;
    this.pause = pause;
    this.progress = progress;
  }

  /// Writes something; when it fails it has left the file as it was.
  @FunctionalInterface
  interface Write<T> {
    T run() throws IOException;
  }

  /// Runs `write`, and again after a pause as long as there is no room and the recipe says wait.
  ///
  /// @param what is written, for the note
  <T> T attempt(String what, Write<T> write) throws IOException {
    for (boolean told = false; ; told = true) {
      try {
        return write.run();
      } catch (IOException e) {
        if (policy == OnFullDisk.STOP || !isCauseOf(e)) {
          throw e;
        }
        if (!told) {
          progress.note(what + ": " + e.getMessage() + "; waits for room");
        }
      }
      try {
        Thread.sleep(pause);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        var interrupted = new InterruptedIOException(what + ": interrupted waiting for room");
        interrupted.initCause(e);
        throw interrupted;
      }
    }
  }

  /// Whether `failure` says that there is no room. Java has no type for it, only the words of the
  /// operating system.
  static boolean isCauseOf(IOException failure) {
    String message = String.valueOf(failure.getMessage()).toLowerCase(Locale.ROOT);
    return REASONS.stream().anyMatch(message::contains);
  }
}
