package moxin.train.verify;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import moxin.job.BadInputException;
import moxin.job.Progress;
import moxin.train.run.RunDirectory;

/// Runs a recipe once undisturbed and once killed at random steps, in processes of their own, and
/// compares what both end with: weights, optimizer state and the numbers of every step.
///
/// One of the kills is a SIGTERM, after which a run saves and exits with 143; the others are
/// SIGKILL, at a random moment of the step.
public final class ResumeVerification {
  private static final long POLL_MILLIS = 2;
  private static final int TERMINATED = 143;
  private static final int WRONG_USE = 2;
  private static final Duration PATIENCE = Duration.ofMinutes(10);

  private final RunLauncher launcher;
  private final Path out;
  private final Progress progress;

  /// @param out a directory in which the runs `whole` and `killed` are made anew
  public ResumeVerification(RunLauncher launcher, Path out, Progress progress) {
    this.launcher = launcher;
    this.out = out;
    this.progress = progress;
  }

  /// Runs, kills, goes on, compares.
  ///
  /// @param kills how many
  /// @param seed of the steps at which they happen
  /// @throws BadInputException if `out` holds runs already, or the run has too few steps
  /// @throws RunFailedException if a run fails by itself
  public ResumeReport run(int kills, long seed) throws IOException, InterruptedException {
    Path whole = out.resolve("whole");
    Path killed = out.resolve("killed");
    for (Path run : List.of(whole, killed)) {
      if (Files.exists(run)) {
        throw new BadInputException(run + " is there already; choose another directory");
      }
    }
    Files.createDirectories(out);
    progress.note("undisturbed run in " + whole);
    finish(whole);
    Path metrics = new RunDirectory(whole).metrics();
    long steps = StepLog.lastStep(metrics);
    if (steps < 2) {
      throw new BadInputException("a run of " + steps + " steps cannot be killed between two");
    }
    Whole reference = new Whole(steps, StepLog.perStep(metrics));
    List<Kill> done = disturb(killed, reference, kills, new Random(seed));
    finish(killed);
    return compare(whole, killed, steps, done);
  }

  private List<Kill> disturb(Path run, Whole whole, int kills, Random random)
      throws IOException, InterruptedException {
    List<Long> aims = random.longs(kills, 1, whole.steps()).sorted().boxed().toList();
    int politely = kills > 1 ? random.nextInt(kills) : -1;
    List<Kill> done = new ArrayList<>();
    for (int i = 0; i < kills; i++) {
      long aim = aims.get(i);
      Duration delay = Duration.ofNanos(random.nextLong(whole.perStep().toNanos() + 1));
      Optional<Kill> kill = kill(run, aim, delay, i == politely);
      kill.ifPresent(done::add);
      progress.note(
          kill.map(found -> found.signal() + " at step " + found.lastStep())
              .orElse("the run ended before it could be killed at step " + aim));
    }
    return done;
  }

  /// Starts the run and kills it `delay` after step `aim` is in its log; empty if it ended before.
  private Optional<Kill> kill(Path run, long aim, Duration delay, boolean politely)
      throws IOException, InterruptedException {
    Path metrics = new RunDirectory(run).metrics();
    Object before = StepLog.identity(metrics);
    Process process = launcher.start(run, log(run));
    try {
      // The log of the run killed before is replaced when this one goes on.
      while (StepLog.identity(metrics).equals(before) || StepLog.lastStep(metrics) < aim) {
        if (process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
          requireGood(process.exitValue(), run);
          return Optional.empty();
        }
      }
      if (process.waitFor(delay.toNanos(), TimeUnit.NANOSECONDS)) {
        requireGood(process.exitValue(), run);
        return Optional.empty();
      }
      return Optional.of(end(process, metrics, aim, politely));
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  private Kill end(Process process, Path metrics, long aim, boolean politely)
      throws IOException, InterruptedException {
    if (politely) {
      process.destroy();
      if (!process.waitFor(PATIENCE.toNanos(), TimeUnit.NANOSECONDS)) {
        throw new RunFailedException("the run did not end within " + PATIENCE + " of SIGTERM");
      }
      int code = process.exitValue();
      if (code != TERMINATED && code != 0) {
        throw new RunFailedException("exit code " + code + " after SIGTERM, expected 143");
      }
      return new Kill("SIGTERM", aim, StepLog.lastStep(metrics), code);
    }
    int code = process.destroyForcibly().waitFor();
    return new Kill("SIGKILL", aim, StepLog.lastStep(metrics), code);
  }

  private void finish(Path run) throws IOException, InterruptedException {
    Process process = launcher.start(run, log(run));
    try {
      requireGood(process.waitFor(), run);
    } finally {
      process.destroyForcibly();
    }
  }

  private void requireGood(int exitCode, Path run) throws IOException {
    if (exitCode != 0) {
      List<String> lines = Files.readAllLines(log(run)).stream().filter(l -> !l.isBlank()).toList();
      String last = lines.isEmpty() ? "no word of why" : lines.getLast();
      String line = run + " ended with exit code " + exitCode + ": " + last;
      if (exitCode == WRONG_USE) {
        throw new BadInputException(line);
      }
      throw new RunFailedException(line);
    }
  }

  private Path log(Path run) {
    return out.resolve(run.getFileName() + ".log");
  }

  private static ResumeReport compare(Path whole, Path killed, long steps, List<Kill> kills)
      throws IOException {
    Path expected = new RunDirectory(whole).checkpoints().resolve("latest").toRealPath();
    Path found = new RunDirectory(killed).checkpoints().resolve("latest").toRealPath();
    List<FileHash> files = CheckpointComparison.hashes(expected, found);
    Optional<String> difference =
        CheckpointComparison.firstDifference(expected, found, files)
            .or(
                () ->
                    expected.getFileName().equals(found.getFileName())
                        ? Optional.empty()
                        : Optional.of("the last checkpoints are of different steps"));
    if (difference.isEmpty()) {
      difference =
          StepLog.firstDifference(
              new RunDirectory(whole).metrics(), new RunDirectory(killed).metrics());
    }
    return new ResumeReport(steps, kills, files, difference);
  }

  private record Whole(long steps, Duration perStep) {}
}
