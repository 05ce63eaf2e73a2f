package moxin.cli;

import java.io.IOException;
import java.io.PrintWriter;
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

  @Override
  public Integer call() throws IOException {
    Tokenizer tokenizer = source.tokenizer();
    try (CpuModel model = source.load();
        Terminal terminal = TerminalBuilder.builder().system(true).build()) {
      Generator generator = new Generator(model, tokenizer);
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
        answer(generator, options, writer, line, out, stopped);
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
    out.println(GenerateCommand.describe(generation.timings()));
    out.flush();
  }
}
