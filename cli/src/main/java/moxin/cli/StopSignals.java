package moxin.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import moxin.train.run.StopRequest;
import org.jline.utils.Signals;

/// Turns SIGTERM and Ctrl-C into a request to stop; a second one ends the process at once. Closing
/// it gives the signals back.
final class StopSignals implements AutoCloseable {
  private final StopRequest request = new StopRequest();
  private final PrintWriter err;
  private final String answer;
  private final List<Runnable> undo = new ArrayList<>();
  private volatile int exitCode;

  private StopSignals(PrintWriter err, String answer) {
    this.err = err;
    this.answer = answer;
  }

  /// Begins to listen, for a training run.
  ///
  /// @param err where a signal is answered
  static StopSignals listen(PrintWriter err) {
    return listen(err, "finishes the step and saves");
  }

  /// Begins to listen.
  ///
  /// @param answer what is said to be done about the first signal
  static StopSignals listen(PrintWriter err, String answer) {
    StopSignals signals = new StopSignals(err, answer);
    signals.handle("INT", 130);
    signals.handle("TERM", 143);
    return signals;
  }

  private void handle(String name, int code) {
    Object before = Signals.register(name, () -> receive(name, code));
    undo.add(() -> Signals.unregister(name, before));
  }

  private void receive(String name, int code) {
    if (request.isRequested()) {
      Runtime.getRuntime().halt(code);
    }
    exitCode = code;
    request.request();
    err.println("moxin: SIG" + name + ": " + answer + "; once more stops at once");
    err.flush();
  }

  /// What the run is to look at.
  StopRequest request() {
    return request;
  }

  /// The exit code of a process that ends by the signal received: 128 and its number.
  int exitCode() {
    return exitCode;
  }

  @Override
  public void close() {
    undo.forEach(Runnable::run);
  }
}
