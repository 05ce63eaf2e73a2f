package moxin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import moxin.cli.MoxinHere.Answer;
import moxin.testing.SharedData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Wrong use and wrong files through the commands: one clear line, exit code 2, no stack trace, and
/// nothing written.
class WrongInputTest {
  private static final String MODEL = "model.safetensors";

  @TempDir private Path folder = Path.of("");

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          trian                               | unknown command trian; did you mean train?
          tokenizer encod                     | unknown command encod; did you mean encode?
          generate --promt x                  | unknown option --promt; did you mean --prompt?
          bench train --step=3                | unknown option --step; did you mean --steps?
          train a.yaml b.yaml --out x         | unexpected argument b.yaml
          bench train --steps 0               | --steps, --threads and --layers must be positive
          bench train --type f8               | --type must be bf16 or f32, found f8
          generate --prompt x --model absent  | absent: no such file
          generate --model x                  | generate continues --prompt TEXT or the prompts of --input FILE, one of them
          generate --model x --input absent   | --input FILE and --output FILE go together
          generate --model x --input y --output z --parallel 0 | --parallel must be 1 to 1024, found 0
          perplexity --model absent absent    | absent: no such file or directory
          train absent.yaml --out x           | absent.yaml: no such recipe file
          release check absent                | absent: no such file or directory
          tokenizer train absent --out x      | absent holds no prepared corpus
          data prepare absent.yaml --out x    | absent.yaml: no such recipe file
          """)
  void oneLineSaysWhatIsWrong(String arguments, String message) {
    assertComplains(MoxinHere.run(arguments.split(" ")), message);
  }

  @Test
  void aMisspeltKeyOfARecipeIsNamedWithTheNearest() throws IOException {
    Path recipe = folder.resolve("recipe.yaml");
    Files.writeString(recipe, "name: x\ntraining:\n  learnigRate: 1\n");
    Path out = folder.resolve("run");
    assertComplains(
        MoxinHere.run("train", recipe.toString(), "--out", out.toString()),
        "unknown key learnigRate; did you mean learningRate?");
    assertThat(out).doesNotExist();
  }

  @Test
  void aCharacterShardNeedsUtf8() throws IOException {
    Path text = folder.resolve("text.txt");
    Files.write(text, new byte[] {'a', 'b', (byte) 0xFF, 'c'});
    Path out = folder.resolve("out");
    assertComplains(
        MoxinHere.run("data", "characters", text.toString(), "--out", out.toString()),
        "text.txt: not UTF-8");
    assertThat(out).doesNotExist();
  }

  @Test
  void aTruncatedOrLyingCheckpointIsRefused() throws IOException {
    Path model = copyOfModel();
    byte[] whole = Files.readAllBytes(model.resolve(MODEL));
    Files.write(model.resolve(MODEL), Arrays.copyOf(whole, 1000));
    assertComplains(generate(model), "model.safetensors: byte 0: header of");
    byte[] lying = whole.clone();
    ByteBuffer.wrap(lying).order(ByteOrder.LITTLE_ENDIAN).putLong(0, 1L << 62);
    Files.write(model.resolve(MODEL), lying);
    assertComplains(generate(model), "header of 4611686018427387904 bytes");
    String text = new String(whole, StandardCharsets.ISO_8859_1);
    String beyond = text.replaceFirst("\\[0,131072\\]", "[9,999999]");
    assertThat(beyond).isNotEqualTo(text);
    Files.write(model.resolve(MODEL), beyond.getBytes(StandardCharsets.ISO_8859_1));
    assertComplains(generate(model), "data_offsets [9, 999999]");
  }

  @Test
  void aBrokenTokenizerIsRefused() throws IOException {
    Path file = folder.resolve("tokenizer.model");
    Files.write(file, new byte[] {10, 100, 1, 2, 3});
    assertComplains(
        MoxinHere.run("tokenizer", "encode", "--tokenizer", file.toString()),
        "tokenizer.model: byte");
  }

  @Test
  void standardInputIsUtf8AndJsonWithOneValueALine() throws IOException {
    String tokenizer = tokenizer();
    byte[] notUtf8 = {'{', '"', 't', 'e', 'x', 't', '"', ':', '"', (byte) 0xFF, '"', '}', '\n'};
    assertComplains(encode(notUtf8, tokenizer), "standard input, near line 1: not UTF-8");
    assertComplains(encode("{\"text\":".getBytes(StandardCharsets.UTF_8), tokenizer), "not JSON");
    Answer answer = encode("\n{\"text\": \"東京 a\"}\n".getBytes(StandardCharsets.UTF_8), tokenizer);
    assertThat(answer.code()).isZero();
    Answer back =
        MoxinHere.reading(
            answer.out().getBytes(StandardCharsets.UTF_8),
            "tokenizer",
            "decode",
            "--tokenizer",
            tokenizer);
    assertThat(back.out()).isEqualTo("{\"text\":\"東京 a\"}" + System.lineSeparator());
  }

  private static Answer encode(byte[] input, String tokenizer) {
    return MoxinHere.reading(input, "tokenizer", "encode", "--tokenizer", tokenizer);
  }

  private static Answer generate(Path model) {
    return MoxinHere.run("generate", "--model", model.toString(), "--prompt", "a");
  }

  private static String tokenizer() {
    return SharedData.require("tokenizer/mistral/mistral_instruct_tokenizer_240323.model.v3")
        .toString();
  }

  private Path copyOfModel() throws IOException {
    Path copy = Files.createDirectories(folder.resolve("model"));
    try (Stream<Path> files = Files.list(SharedData.require("reference/stories260K-hf"))) {
      for (Path file : files.toList()) {
        Files.write(copy.resolve(file.getFileName()), Files.readAllBytes(file));
      }
    }
    return copy;
  }

  private static void assertComplains(Answer answer, String message) {
    assertThat(answer.code()).as(answer.err()).isEqualTo(2);
    assertThat(answer.out()).isEmpty();
    assertThat(answer.err().lines().filter(line -> !line.startsWith("See: ")))
        .singleElement()
        .asString()
        .startsWith("moxin: ")
        .contains(message);
  }
}
