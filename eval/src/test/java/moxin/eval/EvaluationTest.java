package moxin.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import moxin.job.Progress;
import moxin.testing.Seeded;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluationTest {
  private final BigramModel model = new BigramModel(256, 32, 0.5);
  private final ByteTokenizer tokenizer = new ByteTokenizer();
  @TempDir Path directory;

  @Test
  void aContinuationIsScoredAfterItsContext() {
    Response.Score score = score(new Request.LogLikelihood("ab", "cx"));
    double expected = model.logProbability('b', 'c') + model.logProbability('c', 'x');
    assertThat(score.logProbability()).isCloseTo(expected, within(1e-5));
    assertThat(score.greedy()).isFalse();
    assertThat(score.tokens()).isEqualTo(2);
    assertThat(score(new Request.LogLikelihood("ab", "cd")).greedy()).isTrue();
  }

  @Test
  void anEmptyContextIsTheBeginningOfSequence() {
    assertThat(score(new Request.LogLikelihood("", "z")).logProbability())
        .isCloseTo(model.logProbability(1, 'z'), within(1e-5));
  }

  @Test
  void spacesAtTheContextsEndBelongToTheContinuation() {
    assertThat(score(new Request.LogLikelihood("ab ", "c")).tokens()).isEqualTo(2);
  }

  @Test
  @Seeded
  void everyByteOfALongTextIsScoredOnce(Random random) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 257; i++) {
      text.append((char) ('a' + random.nextInt(26)));
    }
    double expected = model.logProbability(1, text.charAt(0));
    for (int i = 1; i < text.length(); i++) {
      expected += model.logProbability(text.charAt(i - 1), text.charAt(i));
    }
    Response.Score score = score(new Request.RollingLogLikelihood(text.toString()));
    assertThat(score.tokens()).isEqualTo(257);
    assertThat(score.logProbability()).isCloseTo(expected, within(1e-3));
  }

  @Test
  @Seeded
  void manyRequestsTogetherGiveWhatEachGivesAlone(Random random) {
    List<Request> requests = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      requests.add(
          new Request.LogLikelihood(letters(random, 1 + random.nextInt(40)), letters(random, 5)));
    }
    List<Response> together = new RequestRunner(model, tokenizer).run(requests, Progress.silent());
    for (int i = 0; i < requests.size(); i++) {
      assertThat(together.get(i)).isEqualTo(score(requests.get(i)));
    }
  }

  @Test
  void generationEndsAtAStopString() {
    List<Response> answer =
        new RequestRunner(model, tokenizer)
            .run(List.of(new Request.GenerateUntil("ab", List.of("fg"), 20)), Progress.silent());
    assertThat(answer).containsExactly(new Response.Text("cde"));
  }

  @Test
  void heldOutTextHasTheBitsPerByteOfTheModel() throws IOException {
    Path file = directory.resolve("documents.jsonl");
    Files.writeString(
        file, "{\"text\":\"abc\",\"source\":\"code\"}\n\n{\"text\":\"xé\",\"source\":\"prose\"}\n");
    EvaluationResults results = run(HeldOut.read(file), EvaluationOptions.whole());
    double nats =
        -model.logProbability(1, 'a')
            - 2 * model.logProbability('a', 'b')
            - model.logProbability(1, 'x')
            - model.logProbability('x', 0xC3)
            - model.logProbability(0xC3, 0xA9);
    assertThat(results.task("heldout").value(Metric.BITS_PER_BYTE))
        .isCloseTo(nats / Math.log(2) / 6, within(1e-5));

    results.write(directory.resolve("out"), "test");
    JsonNode json =
        JsonMapper.builder().build().readTree(directory.resolve("out/results.json").toFile());
    assertThat(json.at("/results/heldout/bits_per_byte,none").asDouble())
        .isCloseTo(nats / Math.log(2) / 6, within(1e-5));
    assertThat(json.at("/results/heldout/bits_per_byte_stderr,none").asText()).isEqualTo("N/A");
    assertThat(json.at("/results/heldout_code/alias").asText()).isEqualTo("heldout_code");
    assertThat(json.at("/n-samples/heldout/effective").asInt()).isEqualTo(2);
    assertThat(Files.readAllLines(directory.resolve("out/samples_heldout.jsonl"))).hasSize(2);
  }

  @Test
  void javadocQuestionsHaveFourDifferentChoicesAndOneRightOne() throws IOException {
    Path file = directory.resolve("javadoc.jsonl");
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 40; i++) {
      lines.append(
          "{\"signature\":\"int f%d()\",\"description\":\"Returns %d.\",\"source\":\"p/C%d\"}\n"
              .formatted(i, i % 30, i % 3));
    }
    Files.writeString(file, lines.toString());
    JavadocChoice task = JavadocChoice.read(file);
    List<Question> questions = task.questions(2, OptionalInt.of(20)).chosen();
    assertThat(questions).hasSize(20);
    int[] places = new int[4];
    for (Question question : questions) {
      JsonNode choices = question.document().get("choices");
      List<String> texts = new ArrayList<>();
      choices.forEach(choice -> texts.add(choice.asText()));
      assertThat(texts).hasSize(4).doesNotHaveDuplicates().contains(question.target());
      places[question.document().get("gold").asInt()]++;
    }
    assertThat(places).doesNotContain(20);
    EvaluationResults results = run(task, new EvaluationOptions(0, OptionalInt.empty()));
    double accuracy = results.task("javadoc_mc").value(Metric.ACC);
    double error = results.task("javadoc_mc").standardError(Metric.ACC).orElseThrow();
    assertThat(error).isCloseTo(Math.sqrt(accuracy * (1 - accuracy) / 39), within(1e-9));
  }

  @Test
  void brokenTaskFilesAreNamedWithTheirLine() throws IOException {
    Path file = directory.resolve("broken.jsonl");
    Files.writeString(file, "{\"text\":\"a\"}\n{\"text\":");
    assertThatThrownBy(() -> HeldOut.read(file))
        .isInstanceOf(TaskDataException.class)
        .hasMessageStartingWith(file + ":2: not JSON");
    Files.writeString(file, "{\"text\":5}");
    assertThatThrownBy(() -> HeldOut.read(file))
        .hasMessage(file + ":1: expected a string \"text\", found number");
  }

  @Test
  void xzPacksRepetitionAndNotNoise() {
    String noise = new String(new Random(1).ints(20_000, 0x20, 0x7F).toArray(), 0, 20_000);
    assertThat(XzBaseline.bitsPerByte(List.of("a".repeat(100_000)))).isLessThan(0.05);
    assertThat(XzBaseline.bitsPerByte(List.of(noise))).isBetween(6.5, 7.2);
    assertThat(noise.getBytes(StandardCharsets.UTF_8)).hasSize(20_000);
  }

  private EvaluationResults run(Task task, EvaluationOptions options) {
    return Evaluation.run(List.of(task), model, tokenizer, options, Progress.silent());
  }

  private Response.Score score(Request request) {
    return Evaluation.score(
        new RequestRunner(model, tokenizer).run(List.of(request), Progress.silent()).getFirst());
  }

  private static String letters(Random random, int count) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < count; i++) {
      text.append((char) ('a' + random.nextInt(26)));
    }
    return text.toString();
  }
}
