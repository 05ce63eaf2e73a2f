package moxin.cli;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import moxin.train.run.DocumentHistory;
import moxin.train.run.DocumentUse;
import moxin.train.run.RunDirectory;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `moxin train documents`.
@Command(
    name = "documents",
    description = {
      "Say which documents went into a step of a run, or into which steps a document went.",
      "Found from the run's recipe and token shards; nothing is stored for it."
    },
    mixinStandardHelpOptions = true)
final class TrainDocumentsCommand implements Callable<Integer> {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  @Parameters(paramLabel = "RUN", description = "the run's directory")
  private Path run = Path.of("run");

  /// One of two questions.
  static final class Question {
    @Option(names = "--step", paramLabel = "N", description = "a step of the run, from 1")
    private @Nullable Long step;

    @Option(
        names = "--document",
        paramLabel = "ID",
        description = "a document's id as its shard says, or SOURCE#NUMBER")
    private @Nullable String document;
  }

  @ArgGroup(multiplicity = "1")
  private Question question = new Question();

  @Option(
      names = "--tokens",
      paramLabel = "DIR",
      description =
          "the token shards that the run read, if they have moved; default: RUN/tokens where it"
              + " exists, else where the run's recipe says")
  private @Nullable Path tokens;

  @Option(names = "--json", description = "print JSON lines, one for each part of a row")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    DocumentHistory history = DocumentHistory.open(new RunDirectory(run), named());
    List<DocumentUse> uses;
    if (question.step != null) {
      uses = history.ofStep(question.step);
    } else {
      uses = history.ofDocument(String.valueOf(question.document));
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      for (DocumentUse use : uses) {
        out.println(JSON.writeValueAsString(use));
      }
    } else {
      print(uses, out);
    }
    out.flush();
    return 0;
  }

  private Map<String, Path> named() throws IOException {
    Path usual = run.resolve("tokens");
    Path given = tokens;
    if (given == null) {
      return Files.isDirectory(usual) ? TrainCommand.sources(usual) : Map.of();
    }
    return TrainCommand.sources(given);
  }

  private static void print(List<DocumentUse> uses, PrintWriter out) {
    out.printf(
        Locale.ROOT,
        "%8s %5s %5s %5s %5s %8s  %s%n",
        "step",
        "batch",
        "row",
        "pass",
        "at",
        "tokens",
        "document");
    for (DocumentUse use : uses) {
      out.printf(
          Locale.ROOT,
          "%8d %5d %5d %5d %5d %8s  %s#%d %s (%s)%n",
          use.step(),
          use.microBatch(),
          use.row(),
          use.pass(),
          use.position(),
          use.offset() + "+" + use.length(),
          use.source(),
          use.document(),
          use.id(),
          use.origin());
    }
  }
}
