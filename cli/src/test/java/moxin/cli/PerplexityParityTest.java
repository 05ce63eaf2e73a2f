package moxin.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import moxin.cli.MoxinHere.Answer;
import moxin.testing.SharedData;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A trained model of 260 thousand weights in every type that `moxin convert` writes, on a slice of
/// TinyStories, beside what llama.cpp's `llama-perplexity` (commit de3ff81, context 256, batch 256,
/// 40 chunks) says of the same files. No matrix of this model has rows of whole blocks of 256, so
/// that K mixes fall back to smaller blocks, as in llama.cpp.
class PerplexityParityTest {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  /// What differs is the rounding of activations, which llama.cpp quantises as well.
  private static final double SHARE = 0.01;

  @TempDir private Path folder = Path.of("");

  @ParameterizedTest
  @CsvSource({
    "f32, 3.9375",
    "f16, 3.9372",
    "bf16, 3.9380",
    "q8_0, 3.9395",
    "q4_0, 4.1948",
    "q4_k_m, 4.0096",
    "q5_k_m, 3.9689",
    "q6_k, 3.9395"
  })
  void perplexityIsThatOfLlamaCpp(String type, double expected) throws IOException {
    Path model = SharedData.require("reference/stories260K-hf");
    Path text = SharedData.require("corpora/tinystories_slice.txt");
    Path gguf = folder.resolve(type + ".gguf");
    assertThat(run("convert", model, gguf, "--type", type).code()).isZero();
    Answer answer =
        run("perplexity", "--model", gguf, text, "--context", 256, "--chunks", 40, "--json");
    assertThat(answer.code()).as(answer.err()).isZero();
    JsonNode result = JSON.readTree(answer.out());
    assertThat(result.path("scoredTokens").asInt()).isEqualTo(40 * 127);
    assertThat(result.path("perplexity").asDouble()).isCloseTo(expected, within(SHARE * expected));
  }

  private static Answer run(Object... arguments) {
    String[] texts = new String[arguments.length];
    for (int i = 0; i < texts.length; i++) {
      texts[i] = arguments[i].toString();
    }
    return MoxinHere.run(texts);
  }
}
