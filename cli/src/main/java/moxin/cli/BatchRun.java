package moxin.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import moxin.cli.terminal.TerminalProgress;
import moxin.infer.CpuModel;
import moxin.infer.Generator;
import moxin.infer.schedule.CacheSize;
import moxin.infer.schedule.Scheduler;
import moxin.infer.schedule.SchedulerOptions;
import moxin.job.BadInputException;
import moxin.job.ContentHash;
import moxin.job.Progress;
import moxin.text.Tokenizer;
import moxin.train.JobSignal;

/// A run of `moxin generate --input`: the prompts of a file through a scheduler, with a journal
/// that a later run of the same command goes on from.
///
/// @param parallel texts that are written together
record BatchRun(
    Path input,
    Path output,
    int parallel,
    ModelSource source,
    SamplingChoice sampling,
    SpeculationChoice speculation) {
  private static final int MAX_PARALLEL = 1024;

  /// Options that change no answer.
  private static final Set<String> IMMATERIAL =
      Set.of("--parallel", "--threads", "--output", "--lookup", "--draft-model");

  BatchRun {
    if (parallel < 1 || parallel > MAX_PARALLEL) {
      throw new BadInputException(
          "--parallel must be 1 to " + MAX_PARALLEL + ", found " + parallel);
    }
  }

  /// Runs until all prompts have their answers or a signal comes, and returns the exit code.
  ///
  /// @param arguments of the command
  int run(List<String> arguments, PrintWriter err) throws IOException {
    int count = BatchGeneration.count(input);
    Tokenizer tokenizer = source.tokenizer();
    JobSignal signal = StopSignals.answered(err, "keeps what is finished", () -> {});
    try (BatchJournal journal = BatchJournal.open(output, identity(arguments));
        StopSignals _ = StopSignals.listen(signal)) {
      if (!answer(journal, count, tokenizer, () -> signal.number() != 0)) {
        err.printf(
            "moxin: stopped with %d of %d prompts answered; the same command goes on%n",
            journal.size(), count);
        return StopSignals.exitCode(signal);
      }
      int failed = journal.failed();
      journal.finish(count);
      if (failed > 0) {
        err.printf(
            "moxin: %d of %d prompts have an error instead of an answer, see %s%n",
            failed, count, output);
      }
      return failed == 0 ? 0 : 1;
    }
  }

  private boolean answer(
      BatchJournal journal, int count, Tokenizer tokenizer, BooleanSupplier stopped)
      throws IOException {
    try (CpuModel model = source.load();
        SpeculationChoice.Opened opened = speculation.open();
        Scheduler scheduler = scheduler(model, tokenizer, opened);
        Progress.Task task =
            TerminalProgress.onStandardError().start("Generate", count, "prompts")) {
      Generator generator = new Generator(model, tokenizer);
      return new BatchGeneration(
              scheduler, generator, sampling.options(generator), journal, 2 * parallel)
          .run(input, task, stopped);
    }
  }

  private Scheduler scheduler(
      CpuModel model, Tokenizer tokenizer, SpeculationChoice.Opened opened) {
    SchedulerOptions options =
        SchedulerOptions.defaults(CacheSize.of(model.config(), model.kvType()))
            .withMaxSessions(parallel)
            .withMaxQueued(2 * parallel)
            .withSpeculation(opened.speculation());
    try {
      return Scheduler.start(model, tokenizer, options);
    } catch (IllegalArgumentException e) {
      throw new BadInputException("--draft-model: " + e.getMessage(), e);
    }
  }

  /// What makes two runs the same: the prompts, the model and the options that matter.
  private String identity(List<String> arguments) throws IOException {
    List<String> kept = new ArrayList<>();
    for (int i = 0; i < arguments.size(); i++) {
      String argument = arguments.get(i);
      String option = argument.replaceFirst("=.*", "");
      if (!IMMATERIAL.contains(option)) {
        kept.add(argument);
      } else if (!argument.contains("=") && !option.equals("--lookup")) {
        i++;
      }
    }
    Path model = source.path();
    return ContentHash.of(
        kept
            + ContentHash.ofFile(input)
            + model.toRealPath()
            + Files.getLastModifiedTime(model).toMillis());
  }
}
