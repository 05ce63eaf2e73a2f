package moxin.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import moxin.train.JobSignal;
import org.jline.utils.Signals;
import picocli.CommandLine;

/// Turns SIGTERM and Ctrl-C into a [JobSignal]; a second one ends the process at once. Closing it
/// gives the signals back.
final class StopSignals implements AutoCloseable {
  /// Within this time signals are one: a terminal and a launcher may both send it.
  private static final long ONE_NANOS = TimeUnit.MILLISECONDS.toNanos(300);

  private final JobSignal signal;
  private final List<Runnable> undo = new ArrayList<>();
  private long firstAt;

  private StopSignals(JobSignal signal) {
    this.signal = signal;
  }

  /// Begins to listen.
  ///
  /// @param signal what is raised
  static StopSignals listen(JobSignal signal) {
    StopSignals signals = new StopSignals(signal);
    signals.handle("INT", 2);
    signals.handle("TERM", 15);
    return signals;
  }

  /// A signal that calls `stop` when it is raised, and is then answered on `err`.
  ///
  /// @param answer what is said to be done about it
  static JobSignal answered(PrintWriter err, String answer, Runnable stop) {
    return new JobSignal(
        number -> {
          stop.run();
          String name = number == 2 ? "SIGINT" : "SIGTERM";
          err.println("moxin: " + name + ": " + answer + "; once more stops at once");
          err.flush();
        });
  }

  /// The exit code of a process that ends by the signal received: 128 and its number; 0 without
  /// one.
  static int exitCode(JobSignal signal) {
    return signal.number() == 0 ? CommandLine.ExitCode.OK : 128 + signal.number();
  }

  private void handle(String name, int number) {
    Object before = Signals.register(name, () -> receive(number));
    undo.add(() -> Signals.unregister(name, before));
  }

  private synchronized void receive(int number) {
    long now = System.nanoTime();
    if (firstAt != 0 && now - firstAt > ONE_NANOS) {
      Runtime.getRuntime().halt(128 + number);
    }
    firstAt = firstAt == 0 ? now : firstAt;
    signal.raise(number);
  }

  @Override
  public void close() {
    undo.forEach(Runnable::run);
  }
}
