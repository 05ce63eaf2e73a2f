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

  /// What continues texts with `model`, which stays the caller's.
  Writer writer(CpuModel model, Generator plain, Tokenizer tokenizer) throws IOException {
    Path path = source.draftModel;
    if (path != null) {
      CpuModel draft = ModelSource.load(path, EngineOptions.defaults());
      try {
        return new Speculative(
            new SpeculativeGenerator(model, tokenizer, Speculation.draftModel(draft)), draft);
      } catch (IllegalArgumentException e) {
        draft.close();
        throw new BadInputException(path + ": " + e.getMessage(), e);
      }
    }
    return source.lookup
        ? new Speculative(
            new SpeculativeGenerator(model, tokenizer, Speculation.promptLookup()), null)
        : new Plain(plain);
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

  private record Speculative(SpeculativeGenerator generator, @Nullable CpuModel draft)
      implements Writer {
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
      if (draft != null) {
        draft.close();
      }
    }
  }
}
