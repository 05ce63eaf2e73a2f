package moxin.text.sentencepiece;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPInputStream;
import moxin.testing.SharedData;
import moxin.text.TextStream;
import moxin.text.Tokenizer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SentencePieceVectorsParityTest {
  private static final JsonMapper JSON = new JsonMapper();

  @ParameterizedTest
  @CsvSource({
    "mistral_v1, mistral/tokenizer.model.v1",
    "mistral_v3, mistral/mistral_instruct_tokenizer_240323.model.v3",
    "llama2, llama2.c/tokenizer.model"
  })
  void idsAndTextsAreThoseOfSentencepiece(String vectors, String model) throws IOException {
    Tokenizer tokenizer = load(model);
    Path file = SharedData.require("tokenizer/vectors/handout_encode_" + vectors + ".jsonl.gz");
    int rows = 0;
    try (BufferedReader in =
        new BufferedReader(
            new InputStreamReader(
                new GZIPInputStream(Files.newInputStream(file)), StandardCharsets.UTF_8))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        JsonNode row = JSON.readTree(line);
        String text = row.get("text").asText();
        int[] ids = JSON.treeToValue(row.get("ids"), int[].class);
        assertThat(tokenizer.encode(text)).as(text).isEqualTo(ids);
        String decoded = row.has("decoded") ? row.get("decoded").asText() : text;
        assertThat(tokenizer.decode(ids)).isEqualTo(decoded);
        assertThat(streamed(tokenizer, ids)).isEqualTo(decoded);
        rows++;
      }
    }
    assertThat(rows).isEqualTo(841);
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama-spm", "phi-3"})
  void idsAreThoseOfLlamaCpp(String name) throws IOException {
    Tokenizer tokenizer = load("llama2.c/tokenizer.model");
    String base = "tokenizer/llama.cpp/ggml-vocab-" + name + ".gguf";
    String[] inputs =
        Files.readString(SharedData.require(base + ".inp")).split("\n__ggml_vocab_test__\n", -1);
    List<String> outputs = Files.readAllLines(SharedData.require(base + ".out"));
    assertThat(inputs.length).isGreaterThanOrEqualTo(outputs.size());
    for (int i = 0; i < outputs.size(); i++) {
      int[] expected =
          Arrays.stream(outputs.get(i).strip().split("\\s+"))
              .filter(id -> !id.isEmpty())
              .mapToInt(Integer::parseInt)
              .toArray();
      assertThat(tokenizer.encode(inputs[i])).as(inputs[i]).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "mistral/mistral_instruct_tokenizer_240216.model.v2",
        "mistral/mistral_instruct_tokenizer_241114.model.v7"
      })
  void everyMistralModelLoads(String model) throws IOException {
    Tokenizer tokenizer = load(model);
    assertThat(tokenizer.vocabSize()).isEqualTo(32768);
    assertThat(tokenizer.beginOfSequence()).hasValue(1);
    assertThat(tokenizer.endOfSequence()).hasValue(2);
    assertThat(tokenizer.decode(tokenizer.encode("Hello,  world\n\té中😀")))
        .isEqualTo("Hello,  world\n\té中😀");
  }

  @Test
  void theSmallReferenceModelRoundTrips() throws IOException {
    Tokenizer tokenizer =
        SentencePieceTokenizer.load(SharedData.require("reference/stories260K-hf/tok512.model"));
    assertThat(tokenizer.vocabSize()).isEqualTo(512);
    assertThat(tokenizer.decode(tokenizer.encode("Once upon a time")))
        .isEqualTo("Once upon a time");
  }

  static Tokenizer load(String model) throws IOException {
    return SentencePieceTokenizer.load(SharedData.require("tokenizer/" + model));
  }

  static String streamed(Tokenizer tokenizer, int[] ids) {
    TextStream stream = tokenizer.newTextStream();
    StringBuilder out = new StringBuilder();
    for (int id : ids) {
      String text = stream.next(id);
      assertThat(text.isEmpty() || !Character.isHighSurrogate(text.charAt(text.length() - 1)))
          .isTrue();
      out.append(text);
    }
    return out.append(stream.finish()).toString();
  }
}
