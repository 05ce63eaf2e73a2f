package moxin.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Objects;
import moxin.collective.CollectiveException;
import moxin.job.BadInputException;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.ParseResult;

/// Turns what a command threw into one line on standard error and an exit code: 2 for what the user
/// can put right in the input, 1 for the rest. `MOXIN_TRACE=1` shows the stack trace as well.
final class Failures implements IExecutionExceptionHandler {

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

  static String describe(Throwable failure) {
    return switch (failure) {
      case BadInputException bad -> firstLine(bad);
      case CollectiveException lost -> firstLine(lost);
      case NoSuchFileException missing -> missing.getFile() + ": no such file or directory";
      case AccessDeniedException denied -> denied.getFile() + ": permission denied";
      case FileSystemException failed when failed.getReason() != null ->
          failed.getFile() + ": " + failed.getReason();
      case IOException io when io.getMessage() != null -> firstLine(io);
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
