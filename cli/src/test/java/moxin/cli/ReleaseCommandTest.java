package moxin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import moxin.job.Manifest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class ReleaseCommandTest {
  @TempDir private Path directory = Path.of("");
  private Path run = Path.of("");
  private Path out = Path.of("");

  @BeforeEach
  void prepare() throws IOException {
    run = directory.resolve("run");
    out = directory.resolve("out");
    Path checkpoint = Files.createDirectories(run.resolve("checkpoints/step-000001"));
    Files.writeString(checkpoint.resolve("model.safetensors"), "weights");
    Files.writeString(
        checkpoint.resolve("config.json"),
        """
        {"model_type": "llama", "vocab_size": 32, "hidden_size": 8, "intermediate_size": 16,
         "num_hidden_layers": 2, "num_attention_heads": 2}
        """);
    Manifest.write(checkpoint, "checkpoint", null, List.of());
  }

  @Test
  void buildSaysWhatIsMissingAndCheckAgrees() {
    Answer built = run(new CommandLine(ReleaseCommand.Build.class), run, "--out", out);
    assertThat(built.code()).isZero();
    assertThat(built.text())
        .contains("Unclassified")
        .contains("Technical report                   missing")
        .contains("the weights do not lead back to the manifest of a corpus")
        .endsWith(out + System.lineSeparator());
    Answer checked = run(new CommandLine(ReleaseCommand.Check.class), out);
    assertThat(checked.code()).isZero();
    assertThat(built.text()).startsWith(checked.text());
  }

  @Test
  void aFileThatDiffersIsNamedWithExitCodeOne() throws IOException {
    run(new CommandLine(ReleaseCommand.Build.class), run, "--out", out);
    Files.writeString(out.resolve("model/model.safetensors"), "others!");
    Answer checked = run(new CommandLine(ReleaseCommand.Check.class), out);
    assertThat(checked.code()).isEqualTo(1);
    assertThat(checked.text())
        .contains("model/model.safetensors: sha256 differs from the release's manifest")
        .contains("Model parameters (Final)           missing");
    assertThat(run(new CommandLine(ReleaseCommand.Check.class), out, "--json").text())
        .contains("\"genuine\" : false");
  }

  @Test
  void aCardAloneIsChecked() {
    run(new CommandLine(ReleaseCommand.Build.class), run, "--out", out);
    Answer checked =
        run(new CommandLine(ReleaseCommand.Check.class), out.resolve("MODEL_OPENNESS.yml"));
    assertThat(checked.code()).isZero();
    assertThat(checked.text()).contains("Model card                         included    CC-BY-4.0");
  }

  @Test
  void wrongDirectoriesAreOneLineWithExitCodeTwo() {
    for (Answer answer :
        List.of(
            run(new CommandLine(ReleaseCommand.Check.class), run),
            run(new CommandLine(ReleaseCommand.Check.class), directory.resolve("none")),
            run(
                new CommandLine(ReleaseCommand.Build.class),
                directory.resolve("none"),
                "--out",
                out))) {
      assertThat(answer.code()).isEqualTo(2);
      assertThat(answer.errors().lines()).hasSize(1);
    }
    assertThat(out).doesNotExist();
  }

  private record Answer(int code, String text, String errors) {}

  private static Answer run(CommandLine command, Object... arguments) {
    StringWriter text = new StringWriter();
    StringWriter errors = new StringWriter();
    command.setOut(new PrintWriter(text));
    command.setErr(new PrintWriter(errors, true));
    command.setExecutionExceptionHandler(new Failures());
    int code =
        command.execute(List.of(arguments).stream().map(Object::toString).toArray(String[]::new));
    return new Answer(code, text.toString(), errors.toString());
  }
}
