package moxin.infer.schedule;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import moxin.infer.CpuModel;
import moxin.infer.EngineOptions;
import moxin.infer.GenerationOptions;
import moxin.infer.Generator;
import moxin.infer.SamplingOptions;
import moxin.infer.schedule.SpeculativeGenerator.Outcome;
import moxin.text.Tokenizer;
import moxin.text.Tokenizers;

/// Prints how much faster single texts are written with prompt lookup than without: texts drawn at
/// temperature 1, which repeat little, and greedy ones after a prompt that says everything three
/// times. Rounds with and without alternate, so that a change of the machine's speed hits both.
///
/// Arguments: the model's directory, its tokenizer's file, new tokens, rounds.
final class SpeculationGain {

  private SpeculationGain() {}

  /// Runs the measurement.
  public static void main(String[] arguments) throws Exception {
    Tokenizer tokenizer = Tokenizers.load(Path.of(arguments[1]));
    int newTokens = Integer.parseInt(arguments[2]);
    int rounds = Integer.parseInt(arguments[3]);
    try (CpuModel model = CpuModel.load(Path.of(arguments[0]), EngineOptions.defaults())) {
      Generator encoder = new Generator(model, tokenizer);
      String story = "Once upon a time, a cat and a dog lived in a big house. ";
      int[] once = encoder.promptIds("Once upon a time");
      int[] often = encoder.promptIds(story + story + story);
      for (int pass = 0; pass < 2; pass++) {
        measure(model, tokenizer, "drawn", once, newTokens, rounds, 1);
        measure(model, tokenizer, "repeating", often, newTokens, rounds, 0);
      }
    }
  }

  private static void measure(
      CpuModel model,
      Tokenizer tokenizer,
      String name,
      int[] prompt,
      int newTokens,
      int rounds,
      double temperature) {
    SpeculativeGenerator plain = new SpeculativeGenerator(model, tokenizer, Speculation.none());
    SpeculativeGenerator fast =
        new SpeculativeGenerator(model, tokenizer, Speculation.promptLookup());
    long[] nanos = new long[2];
    int tokens = 0;
    int proposed = 0;
    int accepted = 0;
    for (int round = 0; round < rounds; round++) {
      SamplingOptions sampling = new SamplingOptions(temperature, 0, 1, 0, round);
      GenerationOptions options = new GenerationOptions(sampling, newTokens, List.of());
      Outcome one = plain.generate(prompt, options, _ -> {}, () -> false);
      Outcome two = fast.generate(prompt, options, _ -> {}, () -> false);
      nanos[0] += one.generation().timings().decode().toNanos();
      nanos[1] += two.generation().timings().decode().toNanos();
      tokens += two.generation().ids().length;
      proposed += two.proposed();
      accepted += two.accepted();
    }
    System.err.printf(
        Locale.ROOT,
        "%-10s %5.0f -> %5.0f tokens/s, %.2fx; accepted %d of %d proposed, %d tokens in all%n",
        name,
        tokens * 1e9 / nanos[0],
        tokens * 1e9 / nanos[1],
        (double) nanos[0] / nanos[1],
        accepted,
        proposed,
        tokens);
  }
}
