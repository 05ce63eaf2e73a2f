package moxin.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import moxin.infer.GenerationOptions;
import moxin.infer.Generator;
import moxin.infer.SamplingOptions;
import moxin.infer.constraint.Grammar;
import moxin.infer.constraint.JsonSpacing;
import moxin.infer.constraint.TokenConstraint;
import moxin.job.BadInputException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
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

  @Option(
      names = "--typical-p",
      paramLabel = "P",
      defaultValue = "1",
      description = "draw from the tokens nearest to the entropy that together have probability P")
  private double typicalP;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "X",
      defaultValue = "1",
      description = "divide the logits of tokens in the text so far; 1: none")
  private double repetitionPenalty;

  @Option(
      names = "--presence-penalty",
      paramLabel = "X",
      defaultValue = "0",
      description = "lower the logits of tokens in the answer so far")
  private double presencePenalty;

  @Option(
      names = "--frequency-penalty",
      paramLabel = "X",
      defaultValue = "0",
      description = "lower them for each time that they are there")
  private double frequencyPenalty;

  @Option(
      names = "--penalty-window",
      paramLabel = "N",
      description = "how many tokens back penalties look; default: all")
  private int penaltyWindow = Integer.MAX_VALUE;

  @Option(
      names = "--logit-bias",
      paramLabel = "ID=X",
      description = "add X, a number or -Infinity, to the logit of token ID; repeatable")
  private Map<Integer, Double> logitBias = Map.of();

  @Option(
      names = "--stop-token",
      paramLabel = "ID",
      description = "end before this token; repeatable")
  private Set<Integer> stopTokens = Set.of();

  @Option(
      names = "--min-new-tokens",
      paramLabel = "N",
      defaultValue = "0",
      description = "do not end the sequence before so many new tokens")
  private int minNewTokens;

  @Option(names = "--ignore-eos", description = "never end the sequence")
  private boolean ignoreEndOfSequence;

  @ArgGroup private Form form = new Form();

  @Option(
      names = "--json-spacing",
      paramLabel = "KIND",
      defaultValue = "FLEXIBLE",
      description = "white space of constrained JSON: ${COMPLETION-CANDIDATES}")
  private JsonSpacing spacing = JsonSpacing.FLEXIBLE;

  /// What the answer must look like, at most one of these.
  private static final class Form {
    @Option(
        names = "--regex",
        paramLabel = "RE",
        description = "an answer that matches this regular expression as a whole")
    private @Nullable String regex;

    @Option(
        names = "--json-schema",
        paramLabel = "FILE|JSON",
        description = "a JSON answer that satisfies this schema")
    private @Nullable String jsonSchema;

    @Option(names = "--json-object", description = "a JSON object as answer")
    private boolean jsonObject;

    private Optional<Grammar> grammar(JsonSpacing spacing) throws IOException {
      String pattern = regex;
      if (pattern != null) {
        return Optional.of(Grammar.regex(pattern));
      }
      String given = jsonSchema;
      if (given != null) {
        String schema = given.strip().startsWith("{") ? given : Files.readString(Path.of(given));
        return Optional.of(Grammar.jsonSchema(schema, spacing));
      }
      return jsonObject ? Optional.of(Grammar.jsonObject(spacing)) : Optional.empty();
    }
  }

  /// The options for `generator`.
  ///
  /// @throws BadInputException if one is senseless or names an id outside the vocabulary
  GenerationOptions options(Generator generator) throws IOException {
    Optional<Grammar> grammar = form.grammar(spacing);
    try {
      GenerationOptions options =
          new GenerationOptions(sampling(), maxNewTokens, stops)
              .withMinNewTokens(minNewTokens)
              .withStopTokens(stopTokens)
              .withEndOfSequence(
                  ignoreEndOfSequence
                      ? GenerationOptions.EndOfSequence.IGNORED
                      : GenerationOptions.EndOfSequence.STOPS);
      options.requireVocabulary(generator.vocabSize());
      return grammar.isPresent()
          ? options.withConstraint(TokenConstraint.of(grammar.get(), generator.vocabulary()))
          : options;
    } catch (IllegalArgumentException e) {
      throw new BadInputException(String.valueOf(e.getMessage()), e);
    }
  }

  private SamplingOptions sampling() {
    return new SamplingOptions(temperature, topK, topP, minP, seed)
        .withTypicalP(typicalP)
        .withPenalties(
            new SamplingOptions.Penalties(
                repetitionPenalty, presencePenalty, frequencyPenalty, penaltyWindow))
        .withLogitBias(logitBias);
  }
}
