package moxin.cli;

import java.util.List;
import moxin.infer.GenerationOptions;
import moxin.infer.SamplingOptions;
import moxin.job.BadInputException;
import picocli.CommandLine.Option;

/// The options that say how text is continued.
final class SamplingChoice {
  @Option(
      names = "--max-new-tokens",
      paramLabel = "N",
      defaultValue = "256",
      description = "at most so many new tokens; default: ${DEFAULT-VALUE}")
  private int maxNewTokens;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      defaultValue = "0",
      description = "0 takes the most probable token; default: ${DEFAULT-VALUE}")
  private double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      defaultValue = "0",
      description = "draw from the K most probable tokens; 0: all")
  private int topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      defaultValue = "1",
      description = "draw from the most probable tokens that together have probability P")
  private double topP;

  @Option(
      names = "--min-p",
      paramLabel = "P",
      defaultValue = "0",
      description = "drop tokens less than P times as probable as the most probable")
  private double minP;

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "1",
      description = "the same seed draws the same tokens; default: ${DEFAULT-VALUE}")
  private long seed;

  @Option(names = "--stop", paramLabel = "TEXT", description = "end before this text; repeatable")
  private List<String> stops = List.of();

  GenerationOptions options() {
    try {
      return new GenerationOptions(
          new SamplingOptions(temperature, topK, topP, minP, seed), maxNewTokens, stops);
    } catch (IllegalArgumentException e) {
      throw new BadInputException(String.valueOf(e.getMessage()), e);
    }
  }
}
