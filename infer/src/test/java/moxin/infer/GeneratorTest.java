package moxin.infer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import moxin.testing.SharedData;
import moxin.text.Tokenizer;
import moxin.text.Tokenizers;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Generation on the small trained model of the reference data.
final class GeneratorTest {
  private static final String PROMPT = "One day, a little girl named Lily found";

  private CpuModel model;
  private Generator generator;

  @BeforeEach
  void load() throws Exception {
    Path directory = SharedData.require("reference/stories260K-hf");
    Tokenizer tokenizer = Tokenizers.load(directory.resolve("tok512.model"));
    model = CpuModel.load(directory, EngineOptions.defaults());
    generator = new Generator(model, tokenizer);
  }

  @AfterEach
  void close() {
    if (model != null) {
      model.close();
    }
  }

  @Test
  void greedyTextIsTheReference() {
    Generation generation = generator.generate(PROMPT, GenerationOptions.greedy(17));
    assertThat(generation.promptIds())
        .containsExactly(1, 385, 328, 432, 261, 376, 298, 315, 421, 395, 317, 272, 277, 264);
    assertThat(generation.ids())
        .containsExactly(
            261, 370, 432, 262, 415, 271, 422, 268, 421, 425, 411, 268, 388, 426, 338, 391, 266);
    assertThat(generation.text()).startsWith(" a big, shiny blue ball. She wanted");
    assertThat(generation.reason()).isEqualTo(FinishReason.LENGTH);
  }

  @Test
  void eventsAddUpToTheTextAndEndOnce() {
    List<GenerationEvent> events = new ArrayList<>();
    GenerationOptions options =
        new GenerationOptions(SamplingOptions.greedy(), 60, List.of(" ball"));
    Generation generation =
        generator.generate(generator.promptIds(PROMPT), options, events::add, () -> false);
    assertThat(generation.text()).isEqualTo(" a big, shiny blue");
    assertThat(generation.reason()).isEqualTo(FinishReason.STOP);
    StringBuilder text = new StringBuilder();
    for (GenerationEvent event : events) {
      switch (event) {
        case GenerationEvent.TextDelta delta -> text.append(delta.text());
        case GenerationEvent.PromptScored _, GenerationEvent.TokenScored _ ->
            throw new AssertionError("nobody asked for scores: " + event);
        case GenerationEvent.Finished finished ->
            assertThat(finished.reason()).isEqualTo(FinishReason.STOP);
      }
    }
    assertThat(text).hasToString(generation.text());
    assertThat(events.getLast()).isInstanceOf(GenerationEvent.Finished.class);
  }

  @Test
  void cancellationKeepsWhatWasSaid() {
    AtomicInteger asked = new AtomicInteger();
    Generation generation =
        generator.generate(
            generator.promptIds(PROMPT),
            GenerationOptions.greedy(100),
            _ -> {},
            () -> asked.incrementAndGet() > 4);
    assertThat(generation.reason()).isEqualTo(FinishReason.CANCELLED);
    assertThat(generation.ids()).containsExactly(261, 370, 432);
  }

  @Test
  void theContextEndsTheText() {
    Generation generation = generator.generate(PROMPT, GenerationOptions.greedy(2000));
    assertThat(generation.promptIds().length + generation.ids().length).isLessThanOrEqualTo(513);
    assertThat(generation.reason()).isEqualTo(FinishReason.LENGTH);
  }
}
