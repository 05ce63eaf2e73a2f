package moxin.cli.terminal;

import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import moxin.job.Progress;

/// Shows long work on a stream: a bar that redraws itself on a terminal, a line now and then
/// elsewhere. Each bar has its rate and the time left. Thread-safe.
public final class TerminalProgress implements Progress {
  private static final Duration REDRAW = Duration.ofMillis(100);
  private static final Duration LINE = Duration.ofSeconds(15);

  private final PrintStream out;
  private final boolean live;
  private final int columns;
  private final LongSupplier nanoClock;
  private final List<Bar> bars = new ArrayList<>();
  private int drawnWidth;

  /// Progress on `out`.
  ///
  /// @param live whether `out` is a terminal on which a line can be redrawn
  /// @param columns its width
  /// @param nanoClock as [System#nanoTime]
  TerminalProgress(PrintStream out, boolean live, int columns, LongSupplier nanoClock) {
    this.out = out;
    this.live = live;
    this.columns = columns;
    this.nanoClock = nanoClock;
  }

  /// Progress on standard error, live when the launcher found a terminal there and told its width.
  public static TerminalProgress onStandardError() {
    Integer columns = Integer.getInteger("moxin.terminal.columns");
    return new TerminalProgress(
        System.err, columns != null, columns == null ? 0 : columns, System::nanoTime);
  }

  @Override
  public Task start(String label, long total, String unit) {
    synchronized (this) {
      Bar bar = new Bar(label, total, unit, nanoClock.getAsLong());
      bars.add(bar);
      draw(bar, true);
      return bar;
    }
  }

  @Override
  public synchronized void note(String line) {
    erase();
    out.println(line);
    if (live && !bars.isEmpty()) {
      draw(bars.getLast(), true);
    }
  }

  private void draw(Bar bar, boolean now) {
    long time = nanoClock.getAsLong();
    Duration pause = live ? REDRAW : LINE;
    if (!now && time - bar.drawnAt < pause.toNanos()) {
      return;
    }
    if (!live && now && bar.done == 0) {
      return;
    }
    bar.drawnAt = time;
    String line = bar.line(time, live);
    if (live) {
      erase();
      line = line.length() > columns - 1 ? line.substring(0, columns - 1) : line;
      out.print(line);
      out.flush();
      drawnWidth = line.length();
    } else {
      out.println(line);
    }
  }

  private void erase() {
    if (live && drawnWidth > 0) {
      out.print("\r" + " ".repeat(drawnWidth) + "\r");
      drawnWidth = 0;
    }
  }

  private final class Bar implements Task {
    private final String label;
    private final long total;
    private final String unit;
    private final long startedAt;
    private String status = "";
    private long done;
    private long doneBefore;
    private long drawnAt;
    private boolean closed;

    Bar(String label, long total, String unit, long startedAt) {
      this.label = label;
      this.total = total;
      this.unit = unit;
      this.startedAt = startedAt;
      this.drawnAt = startedAt;
    }

    @Override
    public void advance(long units) {
      synchronized (TerminalProgress.this) {
        done += units;
        draw(this, false);
      }
    }

    @Override
    public void advanceBefore(long units) {
      synchronized (TerminalProgress.this) {
        doneBefore += units;
        advance(units);
      }
    }

    @Override
    public void status(String text) {
      synchronized (TerminalProgress.this) {
        status = text;
        draw(this, false);
      }
    }

    @Override
    public void close() {
      synchronized (TerminalProgress.this) {
        if (closed) {
          return;
        }
        closed = true;
        bars.remove(this);
        erase();
        out.println(finalLine());
        if (live && !bars.isEmpty()) {
          draw(bars.getLast(), true);
        }
      }
    }

    private String line(long time, boolean withBar) {
      double seconds = (time - startedAt) / 1e9;
      StringBuilder line = new StringBuilder(String.format("%-22s ", label));
      if (total > 0) {
        double fraction = Math.min(1, (double) done / total);
        line.append(withBar ? bar(fraction) : "").append(String.format("%3.0f%% ", 100 * fraction));
      }
      line.append(Quantities.count((double) done, unit));
      if (seconds > 0.5 && done > doneBefore) {
        double rate = (double) (done - doneBefore) / seconds;
        line.append("  ").append(Quantities.rate(rate, unit));
        if (total > done) {
          double left = (double) (total - done) / rate;
          line.append("  ").append(Quantities.duration(left)).append(" left");
        }
      }
      return status.isEmpty() ? line.toString() : line.append("  ").append(status).toString();
    }

    private String finalLine() {
      double seconds = (nanoClock.getAsLong() - startedAt) / 1e9;
      double fresh = (double) (done - doneBefore);
      String rate = seconds > 0.5 && fresh > 0 ? "  " + Quantities.rate(fresh / seconds, unit) : "";
      return String.format(
          "%-22s %s in %s%s%s",
          label,
          Quantities.count((double) done, unit),
          Quantities.duration(seconds),
          rate,
          status.isEmpty() ? "" : "  " + status);
    }

    private static String bar(double fraction) {
      int width = 20;
      int full = (int) (fraction * width);
      return "█".repeat(full) + "░".repeat(width - full) + " ";
    }
  }
}
