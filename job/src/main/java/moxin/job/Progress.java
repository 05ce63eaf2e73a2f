package moxin.job;

/// Where long work reports how far it is. The composition root decides what becomes of it: a bar on
/// a terminal, lines in a log, or nothing.
///
/// Implementations are thread-safe.
public interface Progress {

  /// Opens a task of `total` units, for example `start("Tokenise", 1_000_000, "tokens")`.
  ///
  /// @param total the number of units, or 0 when it is not known
  /// @param unit the plural name of a unit; `"bytes"` is shown in kB, MB and GB
  Task start(String label, long total, String unit);

  /// Says one line that stays, such as "libtorch extracted to …".
  void note(String line);

  /// A task under way. Closing it without having reached the total is not an error.
  interface Task extends AutoCloseable {

    /// Adds `units` to what is done.
    void advance(long units);

    /// Counts `units` that were done before this task began, as when work goes on: they are part of
    /// the total and not of the rate.
    default void advanceBefore(long units) {
      advance(units);
    }

    /// Sets a short text shown behind the bar, such as the current loss.
    void status(String text);

    @Override
    void close();
  }

  /// A progress that says nothing.
  static Progress silent() {
    return SilentProgress.INSTANCE;
  }
}
