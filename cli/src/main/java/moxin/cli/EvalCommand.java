package moxin.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import moxin.cli.terminal.TerminalProgress;
import moxin.eval.Evaluation;
import moxin.eval.EvaluationOptions;
import moxin.eval.EvaluationResults;
import moxin.eval.Metric;
import moxin.eval.Task;
import moxin.infer.CpuModel;
import moxin.job.Manifest;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `moxin eval`.
@Command(
    name = "eval",
    description = {
      "Evaluate a model.",
      "Tasks: heldout (bits per byte and perplexity of held-out documents) and javadoc_mc (which of"
          + " four descriptions belongs to a method)."
    },
    mixinStandardHelpOptions = true)
final class EvalCommand implements Callable<Integer> {
  @Mixin private ModelSource source = new ModelSource();

  @Option(
      names = "--tasks",
      required = true,
      split = ",",
      paramLabel = "TASK",
      description = "heldout, javadoc_mc")
  private List<String> tasks = List.of();

  @Option(
      names = "--data",
      required = true,
      paramLabel = "DIR",
      description = "a corpus as moxin data prepare makes it")
  private Path data = Path.of("corpus");

  @Option(
      names = "--shots",
      paramLabel = "N",
      defaultValue = "0",
      description = "solved examples before each question; default: ${DEFAULT-VALUE}")
  private int shots;

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "0",
      description = "the most questions of a task; default: all")
  private int limit;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "runs/evaluation",
      description = "where results.json and samples go; default: ${DEFAULT-VALUE}")
  private Path out = Path.of("runs/evaluation");

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    List<Task> chosen = EvaluationTasks.named(tasks, data);
    EvaluationOptions options =
        new EvaluationOptions(shots, limit > 0 ? OptionalInt.of(limit) : OptionalInt.empty());
    EvaluationResults results;
    try (CpuModel model = source.load()) {
      results =
          Evaluation.run(
              chosen, model, source.tokenizer(), options, TerminalProgress.onStandardError());
    }
    results.write(out, source.path().toString());
    Manifest.write(out, "evaluation", null, inputs());
    print(results, spec.commandLine().getOut());
    return 0;
  }

  /// The weights and the data measured on, so that a release can show that the results are its own.
  private List<Manifest.Entry> inputs() throws IOException {
    List<Manifest.Entry> inputs = new ArrayList<>();
    try (DirectoryStream<Path> weights =
        Files.newDirectoryStream(source.path(), "model*.safetensors")) {
      for (Path file : weights) {
        inputs.add(Manifest.Entry.of("weights: " + file.getFileName(), file));
      }
    }
    inputs.sort(Comparator.comparing(Manifest.Entry::name));
    for (String name : List.of("documents/validation", "evaluation")) {
      if (Files.isDirectory(data.resolve(name))) {
        inputs.add(Manifest.Entry.of(name, data.resolve(name)));
      }
    }
    return inputs;
  }

  private void print(EvaluationResults results, PrintWriter to) {
    to.printf("%-12s %-18s %12s %10s%n", "task", "metric", "value", "stderr");
    for (EvaluationResults.TaskResult result : results.tasks()) {
      for (Metric metric : result.task().metrics()) {
        OptionalDouble error = result.standardError(metric);
        to.printf(
            Locale.ROOT,
            "%-12s %-18s %12.4f %10s%n",
            result.task().name(),
            metric.key(),
            result.value(metric),
            error.isPresent() ? String.format(Locale.ROOT, "%.4f", error.getAsDouble()) : "");
      }
    }
    to.println(out.resolve("results.json"));
    to.flush();
  }
}
