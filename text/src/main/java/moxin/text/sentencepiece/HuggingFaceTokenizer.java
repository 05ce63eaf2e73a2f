package moxin.text.sentencepiece;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import moxin.text.sentencepiece.SentencePieceModel.Piece;
import moxin.text.sentencepiece.SentencePieceModel.PieceType;

/// A model in the form of Hugging Face's tokenizers library: BPE with byte fallback, with the
/// normaliser and decoder that Llama's and Mistral's files have.
final class HuggingFaceTokenizer {
  private static final JsonMapper JSON = new JsonMapper();
  private static final String SPACE = String.valueOf(SentencePieceModel.SPACE);

  private final SentencePieceModel model;

  HuggingFaceTokenizer(SentencePieceModel model) {
    this.model = model;
  }

  String tokenizerJson() {
    ObjectNode root = JSON.createObjectNode().put("version", "1.0");
    root.putNull("truncation").putNull("padding");
    ArrayNode added = root.putArray("added_tokens");
    for (int id = 0; id < model.pieces().size(); id++) {
      Piece piece = model.pieces().get(id);
      boolean special = piece.type() == PieceType.CONTROL || piece.type() == PieceType.UNKNOWN;
      if (special || piece.type() == PieceType.USER_DEFINED) {
        added
            .addObject()
            .put("id", id)
            .put("content", special ? piece.text() : piece.text().replace(SPACE, " "))
            .put("single_word", false)
            .put("lstrip", false)
            .put("rstrip", false)
            .put("normalized", false)
            .put("special", special);
      }
    }
    root.set("normalizer", normalizer());
    root.putNull("pre_tokenizer");
    root.set("post_processor", postProcessor());
    root.set("decoder", decoder());
    root.set("model", bpe());
    return write(root);
  }

  String configJson() {
    ObjectNode root = JSON.createObjectNode();
    root.put("tokenizer_class", "LlamaTokenizer")
        .put("add_bos_token", true)
        .put("add_eos_token", false)
        .put("add_prefix_space", model.normaliser().addDummyPrefix())
        .put("bos_token", model.trainer().beginPiece())
        .put("eos_token", model.trainer().endPiece())
        .put("unk_token", "<unk>")
        .put("legacy", true)
        .put("clean_up_tokenization_spaces", false);
    root.putObject("sp_model_kwargs");
    return write(root);
  }

  private JsonNode normalizer() {
    ObjectNode replace = replace(" ", SPACE);
    if (!model.normaliser().addDummyPrefix()) {
      return replace;
    }
    ObjectNode sequence = typed("Sequence");
    sequence.putArray("normalizers").add(typed("Prepend").put("prepend", SPACE)).add(replace);
    return sequence;
  }

  private JsonNode decoder() {
    ObjectNode sequence = typed("Sequence");
    ArrayNode decoders =
        sequence
            .putArray("decoders")
            .add(replace(SPACE, " "))
            .add(typed("ByteFallback"))
            .add(typed("Fuse"));
    if (model.normaliser().addDummyPrefix()) {
      decoders.add(typed("Strip").put("content", " ").put("start", 1).put("stop", 0));
    }
    return sequence;
  }

  private JsonNode postProcessor() {
    String begin = model.trainer().beginPiece();
    int id = 0;
    while (id < model.pieces().size() && !model.pieces().get(id).text().equals(begin)) {
      id++;
    }
    ObjectNode template = typed("TemplateProcessing");
    ArrayNode single = template.putArray("single");
    single.addObject().putObject("SpecialToken").put("id", begin).put("type_id", 0);
    single.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
    ArrayNode pair = template.putArray("pair");
    for (int part = 0; part < 2; part++) {
      pair.addObject().putObject("SpecialToken").put("id", begin).put("type_id", part);
      pair.addObject().putObject("Sequence").put("id", part == 0 ? "A" : "B").put("type_id", part);
    }
    ObjectNode special = template.putObject("special_tokens").putObject(begin).put("id", begin);
    special.putArray("ids").add(id);
    special.putArray("tokens").add(begin);
    return template;
  }

  private JsonNode bpe() {
    ObjectNode bpe = typed("BPE");
    bpe.putNull("dropout").put("unk_token", "<unk>");
    bpe.putNull("continuing_subword_prefix").putNull("end_of_word_suffix");
    bpe.put("fuse_unk", true).put("byte_fallback", model.trainer().byteFallback());
    bpe.put("ignore_merges", false);
    ObjectNode vocab = bpe.putObject("vocab");
    Map<String, Integer> ids = new HashMap<>();
    for (int id = 0; id < model.pieces().size(); id++) {
      vocab.put(model.pieces().get(id).text(), id);
      ids.put(model.pieces().get(id).text(), id);
    }
    ArrayNode merges = bpe.putArray("merges");
    for (String[] merge : merges(ids)) {
      merges.add(merge[0] + " " + merge[1]);
    }
    return bpe;
  }

  /// Every way to put a piece together from two others, in the order of merging.
  private List<String[]> merges(Map<String, Integer> ids) {
    List<Piece> order =
        model.pieces().stream()
            .filter(piece -> piece.type() == PieceType.NORMAL)
            .sorted(Comparator.comparingDouble(Piece::score).reversed())
            .toList();
    List<String[]> merges = new ArrayList<>();
    for (Piece piece : order) {
      String text = piece.text();
      List<String[]> ways = new ArrayList<>();
      for (int cut = 1; cut < text.length(); cut++) {
        String[] way = {text.substring(0, cut), text.substring(cut)};
        if (isNormal(ids, way[0]) && isNormal(ids, way[1])) {
          ways.add(way);
        }
      }
      ways.sort(
          Comparator.comparingInt((String[] way) -> ids.getOrDefault(way[0], 0))
              .thenComparingInt(way -> ids.getOrDefault(way[1], 0)));
      merges.addAll(ways);
    }
    return merges;
  }

  private boolean isNormal(Map<String, Integer> ids, String text) {
    Integer id = ids.get(text);
    return id != null && model.pieces().get(id).type() == PieceType.NORMAL;
  }

  private static ObjectNode typed(String type) {
    return JSON.createObjectNode().put("type", type);
  }

  private static ObjectNode replace(String from, String to) {
    ObjectNode replace = typed("Replace");
    replace.putObject("pattern").put("String", from);
    return replace.put("content", to);
  }

  private static String write(JsonNode node) {
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(node) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree is always writable", e);
    }
  }
}
