package moxin.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import moxin.infer.CpuModel;
import moxin.infer.EngineOptions;
import moxin.infer.Generation;
import moxin.infer.GenerationEvent;
import moxin.infer.GenerationOptions;
import moxin.infer.Generator;
import moxin.infer.schedule.Speculation;
import moxin.infer.schedule.SpeculativeGenerator;
import moxin.job.BadInputException;
import moxin.text.Tokenizer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/// The options that say whether several tokens are decoded in one pass. The text is the same with
/// and without.
final class SpeculationChoice {
  @ArgGroup private Source source = new Source();

  /// Where proposals come from.
  private static final class Source {
    @Option(
        names = "--lookup",
        description =
            "propose what followed earlier in the text: faster for answers that quote it, the same"
                + " answer")
    private boolean lookup;

    @Option(
        names = "--draft-model",
        paramLabel = "PATH",
        description =
            "propose what this smaller model with the same tokenizer would write; the same answer")
    private @Nullable Path draftModel;
  }

  /// What continues texts.
  interface Writer extends AutoCloseable {
    /// As [Generator#generate].
    Generation write(
        int[] promptIds,
        GenerationOptions options,
        Consumer<GenerationEvent> events,
        BooleanSupplier cancelled);

    @Override
    void close();
  }

  /// A speculation, and the draft model that it needs until it is closed.
  record Opened(Speculation speculation, @Nullable CpuModel draft) implements AutoCloseable {
    @Override
    public void close() {
      if (draft != null) {
        draft.close();
      }
    }
  }

  /// Loads what the options name; the caller closes it.
  Opened open() throws IOException {
    Path path = source.draftModel;
    if (path != null) {
      CpuModel draft = ModelSource.load(path, EngineOptions.defaults());
      return new Opened(Speculation.draftModel(draft), draft);
    }
    return new Opened(source.lookup ? Speculation.promptLookup() : Speculation.none(), null);
  }

  /// What continues texts with `model`, which stays the caller's.
  Writer writer(CpuModel model, Generator plain, Tokenizer tokenizer) throws IOException {
    Opened opened = open();
    if (opened.speculation() instanceof Speculation.None) {
      return new Plain(plain);
    }
    try {
      return new Speculative(
          new SpeculativeGenerator(model, tokenizer, opened.speculation()), opened);
    } catch (IllegalArgumentException e) {
      opened.close();
      throw new BadInputException(source.draftModel + ": " + e.getMessage(), e);
    }
  }

  private record Plain(Generator generator) implements Writer {
    @Override
    public Generation write(
        int[] promptIds,
        GenerationOptions options,
        Consumer<GenerationEvent> events,
        BooleanSupplier cancelled) {
      return generator.generate(promptIds, options, events, cancelled);
    }

    @Override
    public void close() {}
  }

  private record Speculative(SpeculativeGenerator generator, Opened opened) implements Writer {
    @Override
    public Generation write(
        int[] promptIds,
        GenerationOptions options,
        Consumer<GenerationEvent> events,
        BooleanSupplier cancelled) {
      return generator.generate(promptIds, options, events, cancelled).generation();
    }

    @Override
    public void close() {
      opened.close();
    }
  }
}
