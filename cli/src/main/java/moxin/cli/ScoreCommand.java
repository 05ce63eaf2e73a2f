package moxin.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import moxin.cli.terminal.TerminalProgress;
import moxin.eval.Request;
import moxin.eval.RequestRunner;
import moxin.eval.Response;
import moxin.infer.CpuModel;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// `moxin score`.
@Command(
    name = "score",
    description = {
      "Score text: read JSON lines, write a JSON line for each.",
      "{\"context\": …, \"continuation\": …} or {\"text\": …} gives {\"logprob\", \"greedy\","
          + " \"tokens\"}; log-probabilities are natural logarithms."
    },
    mixinStandardHelpOptions = true)
final class ScoreCommand implements Callable<Integer> {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final int LINES_AT_ONCE = 1024;

  @Mixin private ModelSource source = new ModelSource();
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    JsonLineInput in = JsonLineInput.standard();
    try (CpuModel model = source.load()) {
      RequestRunner runner = new RequestRunner(model, source.tokenizer());
      List<Request> requests = new ArrayList<>();
      for (JsonNode line = in.next(); line != null; line = in.next()) {
        requests.add(request(line, in));
        if (requests.size() == LINES_AT_ONCE) {
          answer(runner, requests, out);
        }
      }
      answer(runner, requests, out);
    }
    out.flush();
    return 0;
  }

  private static void answer(RequestRunner runner, List<Request> requests, PrintWriter out)
      throws IOException {
    for (Response response : runner.run(requests, TerminalProgress.onStandardError())) {
      out.println(JSON.writeValueAsString(toJson(response)));
    }
    requests.clear();
  }

  private static ObjectNode toJson(Response response) {
    return switch (response) {
      case Response.Score score ->
          JSON.createObjectNode()
              .put("logprob", score.logProbability())
              .put("greedy", score.greedy())
              .put("tokens", score.tokens());
      case Response.Text text -> throw new IllegalStateException("nothing was to be generated");
    };
  }

  private static Request request(JsonNode node, JsonLineInput in) {
    if (node.path("text").isTextual()) {
      return new Request.RollingLogLikelihood(node.get("text").textValue());
    }
    if (node.path("context").isTextual() && node.path("continuation").isTextual()) {
      return new Request.LogLikelihood(
          node.get("context").textValue(), node.get("continuation").textValue());
    }
    throw in.wrong("expected {\"context\": \"…\", \"continuation\": \"…\"} or {\"text\": \"…\"}");
  }
}
