package moxin.text.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import moxin.testing.SharedData;
import moxin.text.Tokenizer;
import moxin.text.Tokenizers;
import moxin.text.sentencepiece.SentencePieceModel;
import moxin.text.sentencepiece.SentencePieceTokenizer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Vocabularies in GGUF files against llama.cpp's own vectors and against the models that they were
/// made from.
final class GgufVocabularyParityTest {

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"llama-spm", "phi-3"})
  void idsAreThoseOfLlamaCpp(String name) throws IOException {
    String base = "tokenizer/llama.cpp/ggml-vocab-" + name + ".gguf";
    Tokenizer tokenizer = Tokenizers.load(SharedData.require(base));
    String[] inputs =
        Files.readString(SharedData.require(base + ".inp")).split("\n__ggml_vocab_test__\n", -1);
    List<String> outputs = Files.readAllLines(SharedData.require(base + ".out"));
    assertThat(outputs).hasSize(46);
    for (int i = 0; i < outputs.size(); i++) {
      int[] expected =
          Arrays.stream(outputs.get(i).strip().split("\\s+"))
              .filter(id -> !id.isEmpty())
              .mapToInt(Integer::parseInt)
              .toArray();
      assertThat(tokenizer.encode(inputs[i])).as(inputs[i]).isEqualTo(expected);
    }
  }

  @Test
  void theVocabularyIsThatOfTheModelItWasMadeFrom() throws IOException {
    SentencePieceModel fromGguf =
        Tokenizers.model(SharedData.require("tokenizer/llama.cpp/ggml-vocab-llama-spm.gguf"));
    SentencePieceModel original =
        Tokenizers.model(SharedData.require("tokenizer/llama2.c/tokenizer.model"));
    assertThat(fromGguf.pieces()).isEqualTo(original.pieces());
    assertThat(fromGguf.normaliser()).usingRecursiveComparison().isEqualTo(original.normaliser());
    assertThat(fromGguf.trainer()).isEqualTo(original.trainer());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tokenizer/mistral/tokenizer.model.v1",
        "tokenizer/mistral/mistral_instruct_tokenizer_240323.model.v3",
        "tokenizer/mistral/mistral_instruct_tokenizer_241114.model.v7",
        "tokenizer/llama2.c/tokenizer.model",
        "reference/stories260K-hf/tok512.model"
      })
  void modelsGoIntoGgufAndBack(String model) throws IOException {
    SentencePieceModel original = SentencePieceModel.load(SharedData.require(model));
    Path file = directory.resolve("vocabulary.gguf");
    Files.write(
        file,
        GgufHeaderWriter.toBytes(
            GgufVocabulary.pairs(original, original.pieces().size()), List.of()));
    SentencePieceModel read = Tokenizers.model(file);
    assertThat(read.pieces()).isEqualTo(original.pieces());
    assertThat(read.normaliser()).usingRecursiveComparison().isEqualTo(original.normaliser());
    assertThat(read.trainer().beginPiece()).isEqualTo(original.trainer().beginPiece());
    assertThat(read.trainer().endPiece()).isEqualTo(original.trainer().endPiece());
    assertThat(read.trainer().byteFallback()).isEqualTo(original.trainer().byteFallback());

    // Both ways once more, through the file that sentencepiece reads.
    SentencePieceModel again = SentencePieceModel.parse("again", read.toBytes());
    Tokenizer one = SentencePieceTokenizer.of("one", original);
    Tokenizer two = SentencePieceTokenizer.of("two", again);
    String text = Files.readString(SharedData.require("tokenizer/cs336-bpe/german.txt")) + " 中😀\t";
    assertThat(two.encode(text)).isEqualTo(one.encode(text));
    assertThat(two.beginOfSequence()).isEqualTo(one.beginOfSequence());
    assertThat(two.endOfSequence()).isEqualTo(one.endOfSequence());
  }

  @Test
  void whatIsNoVocabularyIsSaidInOneLine() {
    Map<String, GgufValue> whole = GgufVocabulary.pairs(tiny(), 4);
    assertThat(GgufVocabulary.read(new GgufMetadata("x", whole)).pieces())
        .isEqualTo(tiny().pieces());
    assertFails(whole, "tokenizer.ggml.model", GgufValue.of("gpt2"), "found gpt2, expected llama");
    assertFails(whole, "tokenizer.ggml.tokens", GgufValue.of(3), "expected a list of strings");
    assertFails(whole, "tokenizer.ggml.scores", GgufValue.Numbers.of(1f), "1 elements");
    float nan = Float.NaN;
    assertFails(whole, "tokenizer.ggml.scores", GgufValue.Numbers.of(0, 0, 0, nan), "NaN");
    assertFails(
        whole, "tokenizer.ggml.token_type", GgufValue.Numbers.of(2, 3, 3, 7), "7 for token");
    assertFails(whole, "tokenizer.ggml.bos_token_id", GgufValue.of(4), "an id below 4");
  }

  @Test
  void rowsWithoutAPieceGetOneThatNoTextBecomes() {
    SentencePieceModel padded =
        GgufVocabulary.read(new GgufMetadata("x", GgufVocabulary.pairs(tiny(), 6)));
    assertThat(padded.pieces()).hasSize(6);
    assertThat(padded.pieces().subList(0, 4)).isEqualTo(tiny().pieces());
    assertThat(padded.pieces().get(5).text()).isEqualTo("[PAD5]");
    assertThatThrownBy(() -> GgufVocabulary.pairs(tiny(), 3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("has 4 pieces, the model embeds only 3");
  }

  @Test
  void theUnknownPieceIsTheOneWithItsId() {
    Map<String, GgufValue> pairs = new LinkedHashMap<>(GgufVocabulary.pairs(tiny(), 4));
    pairs.put("tokenizer.ggml.token_type", GgufValue.Numbers.of(3, 2, 3, 1));
    assertThat(GgufVocabulary.read(new GgufMetadata("x", pairs)).pieces())
        .isEqualTo(tiny().pieces());
  }

  private static void assertFails(
      Map<String, GgufValue> whole, String key, GgufValue value, String message) {
    Map<String, GgufValue> pairs = new LinkedHashMap<>(whole);
    pairs.put(key, value);
    assertThatThrownBy(() -> GgufVocabulary.read(new GgufMetadata("x", pairs)))
        .isInstanceOf(GgufFormatException.class)
        .hasMessageStartingWith("x: " + key)
        .hasMessageContaining(message);
  }

  private static SentencePieceModel tiny() {
    return new SentencePieceModel(
        List.of(
            new SentencePieceModel.Piece("<unk>", 0, SentencePieceModel.PieceType.UNKNOWN),
            new SentencePieceModel.Piece("<s>", 0, SentencePieceModel.PieceType.CONTROL),
            new SentencePieceModel.Piece("</s>", 0, SentencePieceModel.PieceType.CONTROL),
            new SentencePieceModel.Piece("a", -1, SentencePieceModel.PieceType.NORMAL)),
        SentencePieceModel.Trainer.bpe(List.of()),
        SentencePieceModel.Normaliser.identity(true));
  }
}
