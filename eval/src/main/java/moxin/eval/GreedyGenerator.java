package moxin.eval;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import moxin.job.Progress;
import moxin.model.LanguageModel;
import moxin.model.LanguageModel.Ingestion;
import moxin.model.LanguageModel.Session;
import moxin.model.LogitRows;
import moxin.model.Logits;
import moxin.text.TextStream;
import moxin.text.Tokenizer;

/// Answers generation requests greedily, several sequences at a time.
final class GreedyGenerator {
  private final LanguageModel model;
  private final Tokenizer tokenizer;
  private final RunnerOptions options;

  GreedyGenerator(LanguageModel model, Tokenizer tokenizer, RunnerOptions options) {
    this.model = model;
    this.tokenizer = tokenizer;
    this.options = options;
  }

  List<Response.Text> generate(List<Request.GenerateUntil> requests, Progress progress) {
    List<Response.Text> texts = new ArrayList<>();
    try (Progress.Task task = progress.start("Generate", requests.size(), "answers")) {
      for (int from = 0; from < requests.size(); from += options.sessions()) {
        int to = Math.min(requests.size(), from + options.sessions());
        texts.addAll(batch(requests.subList(from, to)));
        task.advance(to - from);
      }
    }
    return texts;
  }

  private List<Response.Text> batch(List<Request.GenerateUntil> requests) {
    List<Answer> answers = new ArrayList<>();
    try {
      for (Request.GenerateUntil request : requests) {
        answers.add(new Answer(request));
      }
      for (List<Answer> open = answers; !open.isEmpty(); open = unfinished(answers)) {
        int chunk = Math.max(1, options.tokensPerCall() / open.size());
        List<Ingestion> ingestions = open.stream().map(answer -> answer.next(chunk)).toList();
        List<Logits> logits = model.ingest(ingestions);
        for (int i = 0; i < open.size(); i++) {
          open.get(i).take(logits.get(i));
        }
      }
      return answers.stream().map(Answer::response).toList();
    } finally {
      answers.forEach(answer -> answer.session.close());
    }
  }

  private static List<Answer> unfinished(List<Answer> answers) {
    return answers.stream().filter(answer -> !answer.finished).toList();
  }

  private final class Answer {
    private final Request.GenerateUntil request;
    private final Session session = model.newSession();
    private final TextStream stream = tokenizer.newTextStream();
    private final StringBuilder text = new StringBuilder();
    private int[] pending;
    private int generated;
    private boolean finished;

    Answer(Request.GenerateUntil request) {
      this.request = request;
      this.pending =
          new SpanEncoder(tokenizer, options.maxLength())
              .prompt(request.context(), request.maxNewTokens());
    }

    Ingestion next(int chunk) {
      int count = Math.min(chunk, pending.length);
      int[] ids = Arrays.copyOf(pending, count);
      pending = Arrays.copyOfRange(pending, count, pending.length);
      return new Ingestion(session, ids, pending.length == 0 ? LogitRows.LAST : LogitRows.NONE);
    }

    void take(Logits logits) {
      if (logits.rows() == 0) {
        return;
      }
      int id = logits.argmax(0);
      generated++;
      if (tokenizer.endOfSequence().orElse(-1) == id) {
        end();
        return;
      }
      text.append(stream.next(id));
      if (stopped() || generated == request.maxNewTokens()) {
        end();
      } else {
        pending = new int[] {id};
      }
    }

    private boolean stopped() {
      return request.stops().stream().anyMatch(stop -> text.indexOf(stop) >= 0);
    }

    private void end() {
      text.append(stream.finish());
      finished = true;
    }

    Response.Text response() {
      String whole = text.toString();
      int end = whole.length();
      for (String stop : request.stops()) {
        int at = whole.indexOf(stop);
        end = at >= 0 ? Math.min(end, at) : end;
      }
      return new Response.Text(whole.substring(0, end));
    }
  }
}
