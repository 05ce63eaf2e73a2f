package moxin.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import moxin.infer.CpuModel;
import moxin.infer.Generation;
import moxin.infer.GenerationEvent;
import moxin.infer.GenerationOptions;
import moxin.infer.Generator;
import moxin.text.Tokenizer;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `moxin chat`.
@Command(
    name = "chat",
    description = {
      "Talk to a model: it continues what you type.",
      "Ctrl-C stops an answer, Ctrl-D or /exit ends. Base models have no turns: every line is a new"
          + " text."
    },
    mixinStandardHelpOptions = true)
final class ChatCommand implements Callable<Integer> {
  @Mixin private ModelSource source = new ModelSource();
  @Mixin private SamplingChoice sampling = new SamplingChoice();
  @Mixin private SpeculationChoice speculation = new SpeculationChoice();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    Tokenizer tokenizer = source.tokenizer();
    PrintWriter err = spec.commandLine().getErr();
    long start = System.nanoTime();
    try (CpuModel model = source.load();
        Terminal terminal = TerminalBuilder.builder().system(true).build()) {
      Generator generator = new Generator(model, tokenizer);
      err.printf(
          Locale.ROOT,
          "%s: %.2f billion weights, kernels %s, loaded in %.1f s. Ctrl-C stops an answer, Ctrl-D"
              + " ends.%n",
          source.path(),
          model.config().parameterCount() / 1e9,
          model.kernels(),
          (System.nanoTime() - start) / 1e9);
      try (SpeculationChoice.Writer writer = speculation.writer(model, generator, tokenizer)) {
        return talk(terminal, generator, sampling.options(generator), writer);
      }
    }
  }

  private static int talk(
      Terminal terminal,
      Generator generator,
      GenerationOptions options,
      SpeculationChoice.Writer writer) {
    LineReader reader = LineReaderBuilder.builder().terminal(terminal).build();
    AtomicBoolean stopped = new AtomicBoolean();
    terminal.handle(Terminal.Signal.INT, signal -> stopped.set(true));
    PrintWriter out = terminal.writer();
    while (true) {
      String line;
      try {
        line = reader.readLine("> ");
      } catch (UserInterruptException e) {
        continue;
      } catch (EndOfFileException e) {
        return 0;
      }
      if (line.strip().equals("/exit")) {
        return 0;
      }
      if (!line.isBlank()) {
        stopped.set(false);
        try {
          answer(generator, options, writer, line, out, stopped);
        } catch (IllegalArgumentException e) {
          // A prompt that is too long, say: the next one may not be.
          out.println();
          out.println("moxin: " + e.getMessage());
          out.flush();
        }
      }
    }
  }

  private static void answer(
      Generator generator,
      GenerationOptions options,
      SpeculationChoice.Writer writer,
      String prompt,
      PrintWriter out,
      AtomicBoolean stopped) {
    out.print(prompt);
    Generation generation =
        writer.write(
            generator.promptIds(prompt),
            options,
            event -> {
              if (event instanceof GenerationEvent.TextDelta delta) {
                out.print(delta.text());
                out.flush();
              }
            },
            stopped::get);
    out.println();
    out.println(GenerateCommand.describe(generation.timings()) + (stopped.get() ? " stopped" : ""));
    out.flush();
  }
}
