package moxin.cli;

import java.util.Collection;
import java.util.List;
import moxin.job.EditDistance;
import picocli.CommandLine;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/// Wrong commands, options and arguments: one line, the way to the help, exit code 2. A misspelt
/// word is named with the nearest one, also where it is why a required option is missing.
final class WrongUse implements IParameterExceptionHandler {

  @Override
  public int handleParseException(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    List<String> unknown = command.getUnmatchedArguments();
    boolean misspelt =
        e instanceof UnmatchedArgumentException || e instanceof MissingParameterException;
    String message =
        misspelt && !unknown.isEmpty()
            ? unknown(unknown.getFirst(), command)
            : String.valueOf(e.getMessage()).lines().findFirst().orElse("wrong use");
    command.getErr().println("moxin: " + message);
    command.getErr().println("See: " + command.getCommandSpec().qualifiedName() + " --help");
    return CommandLine.ExitCode.USAGE;
  }

  private static String unknown(String word, CommandLine command) {
    if (word.startsWith("-")) {
      String option = word.replaceFirst("=.*", "");
      return "unknown option "
          + option
          + didYouMean(option, command.getCommandSpec().optionsMap().keySet());
    }
    Collection<String> commands = command.getSubcommands().keySet();
    boolean takesArguments = !command.getCommandSpec().positionalParameters().isEmpty();
    return commands.isEmpty() || takesArguments
        ? "unexpected argument " + word
        : "unknown command " + word + didYouMean(word, commands);
  }

  private static String didYouMean(String word, Collection<String> known) {
    return EditDistance.nearest(word, known)
        .map(nearest -> "; did you mean " + nearest + "?")
        .orElse("");
  }
}
