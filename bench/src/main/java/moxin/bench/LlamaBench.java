package moxin.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import moxin.job.BadInputException;

/// llama.cpp's `llama-bench` (or a program that takes the same options) on the same model, as a
/// process of its own.
///
/// @param program the executable
/// @param model a GGUF file
public record LlamaBench(Path program, Path model) {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  /// Tokens per second.
  public record Rates(double prefill, double decode) {}

  /// Runs the program once.
  ///
  /// @throws BadInputException if it cannot be started, fails, or prints something else
  public Rates run(int prefill, int decode, int threads) throws IOException {
    List<String> command =
        List.of(
            program.toString(),
            "-m",
            model.toString(),
            "-p",
            Integer.toString(prefill),
            "-n",
            Integer.toString(decode),
            "-t",
            Integer.toString(threads),
            "-r",
            "1",
            "-o",
            "json");
    Process process;
    try {
      process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    } catch (IOException e) {
      throw new BadInputException(program + ": cannot be run: " + e.getMessage());
    }
    try {
      String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int code = process.waitFor();
      if (code != 0) {
        throw new BadInputException(program + ": ended with exit code " + code + " on " + model);
      }
      return parse(printed);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    } finally {
      process.destroy();
    }
  }

  private Rates parse(String printed) throws IOException {
    double prefill = 0;
    double decode = 0;
    for (JsonNode row : JSON.readTree(printed)) {
      double rate = row.path("avg_ts").asDouble();
      if (row.path("n_prompt").asInt() > 0) {
        prefill = rate;
      } else if (row.path("n_gen").asInt() > 0) {
        decode = rate;
      }
    }
    if (prefill == 0 || decode == 0) {
      throw new BadInputException(program + ": expected llama-bench's JSON with avg_ts");
    }
    return new Rates(prefill, decode);
  }
}
