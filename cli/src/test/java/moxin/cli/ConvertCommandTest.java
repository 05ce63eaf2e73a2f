package moxin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import moxin.job.Manifest;
import moxin.model.DType;
import moxin.model.GgufCheckpoint;
import moxin.model.ModelConfigFile;
import moxin.model.SafetensorsCheckpoint;
import moxin.model.WeightNames;
import moxin.testing.Seeded;
import moxin.text.Tokenizer;
import moxin.text.Tokenizers;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

@Seeded
class ConvertCommandTest {
  @TempDir private Path directory = Path.of("");
  private Path model = Path.of("");

  @BeforeEach
  void writeModel(Random random) throws IOException {
    model = TinyModelFolder.write(directory.resolve("tiny"), TinyModelFolder.config(), random);
  }

  @Test
  void aModelGoesToGgufAndBack() throws IOException {
    Path gguf = directory.resolve("tiny.gguf");
    Answer there = convert(model, gguf);
    assertThat(there.text()).isEqualTo(gguf + System.lineSeparator());
    assertThat(there.code()).isZero();
    Manifest manifest = Manifest.readBeside(gguf);
    assertThat(manifest.recipe().path("type").asText()).isEqualTo("bf16");
    assertThat(manifest.inputs().getFirst().byteSize()).isPositive();
    assertThat(manifest.differences(directory)).isEmpty();

    Path back = directory.resolve("back");
    assertThat(convert(gguf, back).code()).isZero();
    assertThat(Manifest.read(back).differences(back)).isEmpty();
    assertThat(ModelConfigFile.read(back)).isEqualTo(TinyModelFolder.config());
    assertThat(back.resolve("model.safetensors"))
        .hasSameBinaryContentAs(model.resolve("model.safetensors"));
    String text = "abba cab ü\n";
    Tokenizer original = Tokenizers.load(model);
    for (Path path : List.of(gguf, back)) {
      assertThat(Tokenizers.load(path).encode(text)).isEqualTo(original.encode(text));
    }
  }

  @Test
  void theChatTemplateGoesAlong() throws IOException {
    String template = "{% for m in messages %}[{{ m.role }}]\n{{ m.content }}{% endfor %}";
    Files.writeString(
        model.resolve("tokenizer_config.json"),
        JsonNodeFactory.instance.objectNode().put("chat_template", template).toString());
    Path gguf = directory.resolve("tiny.gguf");
    assertThat(convert(model, gguf).code()).isZero();
    try (GgufCheckpoint checkpoint = GgufCheckpoint.open(gguf)) {
      assertThat(checkpoint.metadata().text("tokenizer.chat_template")).contains(template);
    }
    Path back = directory.resolve("back");
    assertThat(convert(gguf, back).code()).isZero();
    assertThat(back.resolve("chat_template.jinja")).hasContent(template);
    Path again = directory.resolve("again.gguf");
    assertThat(convert(back, again).code()).isZero();
    try (GgufCheckpoint checkpoint = GgufCheckpoint.open(again)) {
      assertThat(checkpoint.metadata().text("tokenizer.chat_template")).contains(template);
    }
  }

  @Test
  void aTokenizerOfAnotherKindStaysBehindWithANote() throws IOException {
    Path gguf = directory.resolve("tiny.gguf");
    Path other = directory.resolve("other.gguf");
    assertThat(convert(model, gguf).code()).isZero();
    byte[] bytes = Files.readAllBytes(gguf);
    String key = "tokenizer.ggml.model";
    int at = new String(bytes, StandardCharsets.ISO_8859_1).indexOf(key) + key.length() + 12;
    assertThat(new String(bytes, at, 5, StandardCharsets.US_ASCII)).isEqualTo("llama");
    bytes[at] = 'g';
    Files.write(other, bytes);
    Path back = directory.resolve("back");
    assertThat(convert(other, back).code()).isZero();
    assertThat(back.resolve("tokenizer.model")).doesNotExist();
    assertThat(back.resolve("model.safetensors"))
        .hasSameBinaryContentAs(model.resolve("model.safetensors"));
  }

  @Test
  void quantsAreChosenByTypeAndWidened() throws IOException {
    Path gguf = directory.resolve("tiny.GGUF");
    assertThat(convert(model, gguf, "--type", "q8_0", "--threads", "2").code()).isZero();
    try (GgufCheckpoint checkpoint = GgufCheckpoint.open(gguf)) {
      assertThat(checkpoint.tensor(WeightNames.LayerWeight.UP.name(0)).dtype())
          .isEqualTo(DType.Q8_0);
    }
    Path back = directory.resolve("back");
    assertThat(convert(gguf, back, "--type", "F32").code()).isZero();
    try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(back)) {
      WeightNames.requireComplete(checkpoint, TinyModelFolder.config());
      assertThat(checkpoint.tensor(WeightNames.EMBEDDING).dtype()).isEqualTo(DType.F32);
    }
    Path again = directory.resolve("again.gguf");
    Answer answer = convert(gguf, again, "--type", "q4_0");
    assertThat(answer.code()).isZero();
    try (GgufCheckpoint checkpoint = GgufCheckpoint.open(again)) {
      assertThat(checkpoint.rotaryOrder()).isNotNull();
      assertThat(checkpoint.config()).isEqualTo(TinyModelFolder.config());
    }
  }

  @Test
  void wrongUseIsOneLineAndWritesNothing() throws IOException {
    Path gguf = directory.resolve("tiny.gguf");
    Path out = directory.resolve("out");
    assertRefused("both directories", model, out);
    assertRefused("no such file", directory.resolve("absent.gguf"), out);
    assertRefused("is a directory", model, Files.createDirectory(directory.resolve("d.gguf")));
    Path file = Files.createFile(directory.resolve("file"));
    assertRefused("expected a directory or a name in .gguf", gguf, file);
    assertRefused("cannot be converted onto itself", file, file);
    assertRefused("no such file", model, gguf, "--imatrix", directory.resolve("absent"));
    Files.delete(model.resolve("tokenizer.model"));
    assertRefused("no *.model files", model, gguf);
    Files.write(model.resolve("tokenizer.model"), TinyModelFolder.tokenizer().toBytes());
    assertThat(convert(model, gguf).code()).isZero();
    assertRefused("directories hold F32, F16 or BF16", gguf, out, "--type", "q4_0");
    assertThat(out).doesNotExist();
    assertThat(directory).isDirectoryNotContaining("glob:**.partial*");
  }

  private static void assertRefused(String message, Object... args) {
    Answer answer = convert(args);
    assertThat(answer.text()).startsWith("moxin: ").contains(message).hasLineCount(1);
    assertThat(answer.code()).isEqualTo(2);
  }

  private record Answer(int code, String text) {}

  private static Answer convert(Object... args) {
    StringWriter text = new StringWriter();
    CommandLine line = new CommandLine(ConvertCommand.class);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setExecutionExceptionHandler(new Failures());
    line.setOut(new PrintWriter(text));
    line.setErr(new PrintWriter(text));
    List<String> words = new ArrayList<>();
    for (Object arg : args) {
      words.add(arg.toString());
    }
    return new Answer(line.execute(words.toArray(String[]::new)), text.toString());
  }

  /// Two rows more than the tokenizer has pieces.
}
