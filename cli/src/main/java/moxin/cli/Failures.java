package moxin.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Objects;
import moxin.collective.CollectiveException;
import moxin.job.BadInputException;
import moxin.train.run.UnstableTrainingException;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.ParseResult;

/// Turns what a command threw into one line on standard error and an exit code: 2 for what the user
/// can put right in the input, 1 for the rest. `MOXIN_TRACE=1` shows the stack trace as well.
final class Failures implements IExecutionExceptionHandler {
  private static final long MEGABYTE = 1L << 20;

  @Override
  public int handleExecutionException(Exception e, CommandLine command, ParseResult result) {
    Throwable failure =
        e instanceof UncheckedIOException ? Objects.requireNonNull(e.getCause()) : e;
    if (System.getenv("MOXIN_TRACE") != null) {
      failure.printStackTrace(command.getErr());
    }
    command.getErr().println("moxin: " + describe(failure));
    return exitCode(failure);
  }

  static int exitCode(Throwable failure) {
    return isBadInput(failure) ? CommandLine.ExitCode.USAGE : CommandLine.ExitCode.SOFTWARE;
  }

  private static boolean isBadInput(Throwable failure) {
    return failure instanceof BadInputException
        || failure instanceof NoSuchFileException
        || failure instanceof AccessDeniedException;
  }

  /// What to do when memory ran out: the heap has a limit of its own, all else shares the machine.
  static String describe(OutOfMemoryError failure) {
    String which = firstLine(failure);
    return which.contains("heap space") || which.contains("array size") || which.contains("GC")
        ? "out of memory: the Java heap of "
            + Runtime.getRuntime().maxMemory() / MEGABYTE
            + " MB is full; give it more with MOXIN_HEAP=6g (java -Xmx6g), or ask for less:"
            + " a smaller batch, fewer --parallel"
        : "out of memory: "
            + which
            + "; the machine has no more for weights and caches: take a smaller model or"
            + " quantisation, a shorter context, --kv-type q8, fewer --parallel";
  }

  static String describe(Throwable failure) {
    return switch (failure) {
      case BadInputException bad -> firstLine(bad);
      case CollectiveException lost -> firstLine(lost);
      case NoSuchFileException missing -> missing.getFile() + ": no such file or directory";
      case AccessDeniedException denied -> denied.getFile() + ": permission denied";
      case FileSystemException failed when failed.getReason() != null ->
          failed.getFile() + ": " + failed.getReason();
      case UnstableTrainingException unstable -> firstLine(unstable);
      case IOException io when io.getMessage() != null -> firstLine(io);
      case Exception wrapped when wrapped.getCause() instanceof OutOfMemoryError memory ->
          describe(memory);
      default ->
          failure.getClass().getSimpleName()
              + ": "
              + firstLine(failure)
              + " (a bug? MOXIN_TRACE=1 shows where)";
    };
  }

  private static String firstLine(Throwable failure) {
    return String.valueOf(failure.getMessage()).lines().findFirst().orElse("");
  }
}
