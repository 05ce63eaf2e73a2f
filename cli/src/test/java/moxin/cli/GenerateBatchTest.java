package moxin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import moxin.cli.MoxinHere.Answer;
import moxin.infer.CpuModel;
import moxin.infer.EngineOptions;
import moxin.infer.GenerationOptions;
import moxin.infer.Generator;
import moxin.infer.schedule.CacheSize;
import moxin.infer.schedule.Scheduler;
import moxin.infer.schedule.SchedulerOptions;
import moxin.job.Progress;
import moxin.testing.Seeded;
import moxin.text.Tokenizer;
import moxin.text.Tokenizers;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Seeded
class GenerateBatchTest {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final int PROMPTS = 13;

  @TempDir private Path folder = Path.of("");
  private Path model = Path.of("");
  private Path input = Path.of("");
  private Path output = Path.of("");
  private final List<String> prompts = new ArrayList<>();

  @BeforeEach
  void writeInput(Random random) throws IOException {
    model = TinyModelFolder.write(folder.resolve("tiny"), TinyModelFolder.exactConfig(), random);
    input = folder.resolve("prompts.jsonl");
    output = folder.resolve("out").resolve("answers.jsonl");
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < PROMPTS; i++) {
      prompts.add("abba".repeat(random.nextInt(6)) + (char) ('a' + i));
      lines.add(
          JSON.writeValueAsString(
              JSON.createObjectNode().put("id", "n" + i).put("prompt", prompts.getLast())));
    }
    Files.write(input, lines);
  }

  @Test
  void everyAnswerIsTheOneThatThePromptHasAlone() throws IOException {
    Answer answer = run("--parallel", "3", "--max-new-tokens", "9");
    assertThat(answer.code()).as(answer.err()).isZero();
    List<JsonNode> answers = answers();
    assertThat(answers).hasSize(PROMPTS);
    for (int i = 0; i < PROMPTS; i++) {
      Answer alone =
          MoxinHere.run(
              "generate",
              "--model",
              model.toString(),
              "--prompt",
              prompts.get(i),
              "--json",
              "--max-new-tokens",
              "9");
      JsonNode expected = JSON.readTree(alone.out());
      assertThat(answers.get(i).path("id").asText()).isEqualTo("n" + i);
      assertThat(answers.get(i).path("text")).isEqualTo(expected.path("text"));
      assertThat(answers.get(i).path("finishReason")).isEqualTo(expected.path("finishReason"));
      assertThat(answers.get(i).path("newTokens").asInt()).isEqualTo(expected.path("ids").size());
    }
    assertThat(output.getParent()).isDirectoryContaining("glob:**answers.jsonl");
    try (var files = Files.list(output.getParent())) {
      assertThat(files.count()).isEqualTo(1);
    }
  }

  @Test
  void aWrongLineCostsOnlyItsOwnAnswer() throws IOException {
    Files.write(
        input,
        List.of(
            "{\"prompt\": \"ab\", \"maxNewTokens\": 2}",
            "",
            "{\"prompt\": ",
            "{\"promt\": \"ab\", \"id\": 7}",
            "{\"prompt\": 3}",
            "{\"prompt\": \"ab\", \"maxNewTokens\": -1}"));
    Answer answer = run("--ignore-eos");
    assertThat(answer.code()).isEqualTo(1);
    assertThat(answer.err()).contains("4 of 5 prompts have an error instead of an answer");
    List<JsonNode> answers = answers();
    assertThat(answers.get(0).path("newTokens").asInt()).isEqualTo(2);
    assertThat(answers.subList(1, 5))
        .extracting(JsonNode::toString)
        .containsExactly(
            "{\"line\":3,\"error\":\"not a JSON object, expected {\\\"prompt\\\": \\\"…\\\"}\"}",
            "{\"id\":7,\"line\":4,\"error\":\"unknown key 'promt'; did you mean 'prompt'?\"}",
            "{\"line\":5,\"error\":\"\\\"prompt\\\" must be a text\"}",
            "{\"line\":6,\"error\":\"\\\"maxNewTokens\\\" must be a whole number from 0 up\"}");
  }

  @Test
  void whatWasFinishedBeforeAStopIsNotDoneAgain() throws IOException {
    Tokenizer tokenizer = Tokenizers.load(model);
    try (CpuModel loaded = CpuModel.load(model, EngineOptions.defaults())) {
      int before;
      try (BatchJournal journal = BatchJournal.open(output, "run")) {
        AtomicInteger asked = new AtomicInteger();
        assertThat(answer(loaded, tokenizer, journal, () -> asked.incrementAndGet() > 12))
            .isFalse();
        before = journal.size();
        assertThat(before).isLessThan(PROMPTS);
      }
      // A kill in the middle of a line.
      Path unfinished = output.resolveSibling("answers.jsonl.unfinished");
      byte[] whole = Files.readAllBytes(unfinished);
      byte[] torn = Arrays.copyOf(whole, whole.length + 9);
      System.arraycopy("{\"prompt\"".getBytes(StandardCharsets.UTF_8), 0, torn, whole.length, 9);
      Files.write(unfinished, torn);
      try (BatchJournal journal = BatchJournal.open(output, "run")) {
        assertThat(journal.size()).isEqualTo(before);
        assertThat(answer(loaded, tokenizer, journal, () -> false)).isTrue();
        assertThat(journal.size()).isEqualTo(PROMPTS);
        journal.finish(PROMPTS);
      }
      List<JsonNode> resumed = answers();
      Files.delete(output);
      assertThat(run("--max-new-tokens", "9").code()).isZero();
      assertThat(resumed).isEqualTo(answers());
      assertThat(unfinished).doesNotExist();
    }
  }

  @Test
  void anotherRunsAnswersAreNotTakenForThisOnes() throws IOException {
    BatchJournal.open(output, "another").close();
    Answer answer = run();
    assertThat(answer.code()).isEqualTo(2);
    assertThat(answer.err()).contains("answers.jsonl.unfinished is of another run");
    Files.writeString(output, "");
    assertThat(run().err()).contains("answers.jsonl exists already");
  }

  private boolean answer(
      CpuModel loaded,
      Tokenizer tokenizer,
      BatchJournal journal,
      java.util.function.BooleanSupplier stopped)
      throws IOException {
    SchedulerOptions options =
        SchedulerOptions.defaults(CacheSize.of(loaded.config(), loaded.kvType()))
            .withMaxSessions(2);
    try (Scheduler scheduler = Scheduler.start(loaded, tokenizer, options);
        Progress.Task task = Progress.silent().start("Generate", PROMPTS, "prompts")) {
      return new BatchGeneration(
              scheduler, new Generator(loaded, tokenizer), GenerationOptions.greedy(9), journal, 4)
          .run(input, task, stopped);
    }
  }

  private Answer run(String... more) {
    List<String> arguments = new ArrayList<>(List.of("generate", "--model", model.toString()));
    arguments.addAll(List.of("--input", input.toString(), "--output", output.toString()));
    arguments.addAll(List.of(more));
    return MoxinHere.run(arguments.toArray(String[]::new));
  }

  private List<JsonNode> answers() throws IOException {
    List<JsonNode> answers = new ArrayList<>();
    for (String line : Files.readAllLines(output)) {
      answers.add(JSON.readTree(line));
    }
    return answers;
  }
}
