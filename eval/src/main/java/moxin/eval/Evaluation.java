package moxin.eval;

import java.util.ArrayList;
import java.util.List;
import moxin.job.Progress;
import moxin.model.LanguageModel;
import moxin.text.Tokenizer;

/// Asks a model the questions of tasks and judges the answers.
public final class Evaluation {

  private Evaluation() {}

  /// Runs `tasks` one after the other.
  ///
  /// @throws TaskDataException if a task's files are not what they should be
  public static EvaluationResults run(
      List<? extends Task> tasks,
      LanguageModel model,
      Tokenizer tokenizer,
      EvaluationOptions options,
      Progress progress) {
    RequestRunner runner = new RequestRunner(model, tokenizer);
    List<EvaluationResults.TaskResult> results = new ArrayList<>();
    for (Task task : tasks) {
      Task.Questions questions = task.questions(options.shots(), options.limit());
      results.add(
          new EvaluationResults.TaskResult(
              task, questions.available(), ask(questions.chosen(), runner, progress)));
    }
    return new EvaluationResults(options, results);
  }

  private static List<Outcome> ask(
      List<Question> questions, RequestRunner runner, Progress progress) {
    List<Request> requests = new ArrayList<>();
    questions.forEach(question -> requests.addAll(question.requests()));
    List<Response> responses = runner.run(requests, progress);
    List<Outcome> outcomes = new ArrayList<>();
    int from = 0;
    for (Question question : questions) {
      int to = from + question.requests().size();
      List<Response> own = responses.subList(from, to);
      outcomes.add(new Outcome(question, own, question.judge().observe(own)));
      from = to;
    }
    return outcomes;
  }

  /// The score that a likelihood request was answered with.
  static Response.Score score(Response response) {
    return switch (response) {
      case Response.Score score -> score;
      case Response.Text text ->
          throw new IllegalArgumentException("expected a score, found generated text");
    };
  }
}
