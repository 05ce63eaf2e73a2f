package moxin.eval;

import java.util.ArrayList;
import java.util.List;
import moxin.job.Progress;
import moxin.model.LanguageModel;
import moxin.text.Tokenizer;

/// Answers requests with a model: many sequences at a time, shared beginnings read once, never the
/// logits of a whole long text at once.
///
/// Contexts, continuations and windows are those of lm-evaluation-harness, the
/// beginning-of-sequence id standing first wherever the tokenizer has one: the continuation's ids
/// are those of context and continuation together minus those of the context; an empty context
/// becomes the beginning-of-sequence (or else end-of-sequence) id; what is too long loses its
/// beginning; a rolling text is scored in disjoint windows.
public final class RequestRunner {
  private final LanguageModel model;
  private final Tokenizer tokenizer;
  private final RunnerOptions options;

  /// A runner with the options that suit `model`.
  public RequestRunner(LanguageModel model, Tokenizer tokenizer) {
    this(model, tokenizer, RunnerOptions.forModel(model.config()));
  }

  public RequestRunner(LanguageModel model, Tokenizer tokenizer, RunnerOptions options) {
    this.model = model;
    this.tokenizer = tokenizer;
    this.options = options;
  }

  /// The answers to `requests`, in order.
  public List<Response> run(List<? extends Request> requests, Progress progress) {
    SpanEncoder encoder = new SpanEncoder(tokenizer, options.maxLength());
    List<TokenSpan> spans = new ArrayList<>();
    int[] spanCounts = new int[requests.size()];
    List<Request.GenerateUntil> generations = new ArrayList<>();
    for (int i = 0; i < spanCounts.length; i++) {
      switch (requests.get(i)) {
        case Request.LogLikelihood pair ->
            spans.add(encoder.pair(pair.context(), pair.continuation()));
        case Request.RollingLogLikelihood rolling -> spans.addAll(encoder.rolling(rolling.text()));
        case Request.GenerateUntil generation -> generations.add(generation);
      }
      spanCounts[i] = spans.size();
    }
    List<Response.Score> scores =
        spans.isEmpty() ? List.of() : new SpanScorer(model, options).score(spans, progress);
    List<Response.Text> texts =
        generations.isEmpty()
            ? List.of()
            : new GreedyGenerator(model, tokenizer, options).generate(generations, progress);
    List<Response> responses = new ArrayList<>();
    int text = 0;
    for (int i = 0; i < spanCounts.length; i++) {
      if (requests.get(i) instanceof Request.GenerateUntil) {
        responses.add(texts.get(text++));
      } else {
        responses.add(sum(scores.subList(i == 0 ? 0 : spanCounts[i - 1], spanCounts[i])));
      }
    }
    return responses;
  }

  private static Response.Score sum(List<Response.Score> parts) {
    double logProbability = 0;
    boolean greedy = true;
    int tokens = 0;
    for (Response.Score part : parts) {
      logProbability += part.logProbability();
      greedy &= part.greedy();
      tokens += part.tokens();
    }
    return new Response.Score(logProbability, greedy, tokens);
  }
}
