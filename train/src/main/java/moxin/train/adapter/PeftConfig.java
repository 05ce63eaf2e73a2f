package moxin.train.adapter;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import moxin.job.AtomicFile;
import moxin.model.CheckpointFormatException;

/// `adapter_config.json` as Hugging Face's PEFT writes it for LoRA. What changes an adapter's
/// arithmetic and is not supported is an error; what only trains it, as dropout, is read over.
///
/// @param settings rank, alpha and targets
/// @param base name or path of the model that the adapter is for; empty where it is not said
/// @param dropout with which it was trained; says nothing about what it computes
public record PeftConfig(AdapterSettings settings, Optional<String> base, double dropout) {

  /// Its name in an adapter's directory.
  public static final String FILE_NAME = "adapter_config.json";

  private static final long MAX_BYTES = 1 << 20;
  private static final double DEFAULT_ALPHA = 8;
  private static final int DEFAULT_RANK = 8;
  private static final String ALL_LINEAR = "all-linear";

  /// Must be absent, null, false, or empty.
  private static final List<String> UNSUPPORTED =
      List.of(
          "rank_pattern",
          "alpha_pattern",
          "use_rslora",
          "use_dora",
          "use_qalora",
          "use_bdlora",
          "fan_in_fan_out",
          "modules_to_save",
          "layers_to_transform",
          "layers_pattern",
          "layer_replication",
          "exclude_modules",
          "target_parameters",
          "trainable_token_indices",
          "lora_bias",
          "alora_invocation_tokens",
          "arrow_config",
          "megatron_config");

  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(50)
                          .maxNumberLength(100)
                          .build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /// That of an adapter trained without dropout.
  public PeftConfig(AdapterSettings settings, Optional<String> base) {
    this(settings, base, 0);
  }

  /// Reads that of an adapter's directory.
  ///
  /// @throws CheckpointFormatException if it is absent, damaged, or of an adapter that Moxin does
  ///   not run
  public static PeftConfig read(Path directory) throws IOException {
    Path file = directory.resolve(FILE_NAME);
    if (!Files.isRegularFile(file)) {
      throw new CheckpointFormatException(file + ": no such file; is this a PEFT adapter?");
    }
    if (Files.size(file) > MAX_BYTES) {
      throw new CheckpointFormatException(
          file + ": " + Files.size(file) + " bytes, at most " + MAX_BYTES + " are expected");
    }
    return parse(file.toString(), Files.readAllBytes(file));
  }

  /// Reads JSON; `origin` names it in errors.
  ///
  /// @throws CheckpointFormatException as [#read]
  static PeftConfig parse(String origin, byte[] json) {
    JsonNode root;
    try {
      root = JSON.readTree(json);
    } catch (JsonProcessingException e) {
      throw new CheckpointFormatException(
          origin + ": no valid JSON: " + oneLine(e.getOriginalMessage()), e);
    } catch (IOException e) {
      throw new CheckpointFormatException(
          origin + ": no valid JSON: " + oneLine(String.valueOf(e.getMessage())), e);
    }
    if (!root.isObject()) {
      throw new CheckpointFormatException(origin + ": expected a JSON object");
    }
    requireSupported(origin, root);
    try {
      return new PeftConfig(
          settings(origin, root),
          text(root, "base_model_name_or_path"),
          root.path("lora_dropout").asDouble());
    } catch (IllegalArgumentException e) {
      throw new CheckpointFormatException(origin + ": " + e.getMessage(), e);
    }
  }

  private static void requireSupported(String origin, JsonNode root) {
    JsonNode kind = root.path("peft_type");
    if (!kind.asText().equals("LORA")) {
      throw new CheckpointFormatException(
          origin + ": peft_type is " + shown(kind) + ", expected \"LORA\"");
    }
    for (String key : UNSUPPORTED) {
      JsonNode value = root.path(key);
      boolean absent = value.isMissingNode() || value.isNull();
      boolean off = value.isBoolean() && !value.asBoolean();
      boolean empty = value.isContainerNode() && value.isEmpty();
      if (!absent && !off && !empty) {
        throw new CheckpointFormatException(
            origin + ": " + key + " is " + shown(value) + ", which is not supported");
      }
    }
    JsonNode bias = root.path("bias");
    if (!bias.isMissingNode() && !bias.asText().equals("none")) {
      throw new CheckpointFormatException(
          origin + ": bias is " + shown(bias) + ", only \"none\" is supported");
    }
  }

  private static AdapterSettings settings(String origin, JsonNode root) {
    JsonNode rank = root.path("r");
    JsonNode alpha = root.path("lora_alpha");
    if (!rank.isMissingNode() && !rank.canConvertToExactIntegral()) {
      throw new CheckpointFormatException(origin + ": r is " + shown(rank));
    }
    if (!alpha.isMissingNode() && !alpha.isNumber()) {
      throw new CheckpointFormatException(origin + ": lora_alpha is " + shown(alpha));
    }
    long ranks = rank.isMissingNode() ? DEFAULT_RANK : rank.asLong();
    return new AdapterSettings(
        (int) Math.clamp(ranks, 0L, Integer.MAX_VALUE),
        alpha.isMissingNode() ? DEFAULT_ALPHA : alpha.asDouble(),
        targets(origin, root.path("target_modules")));
  }

  private static Set<AdapterTarget> targets(String origin, JsonNode modules) {
    if (modules.isTextual() && modules.asText().equals(ALL_LINEAR)) {
      return EnumSet.allOf(AdapterTarget.class);
    }
    if (!modules.isArray()) {
      throw new CheckpointFormatException(
          origin
              + ": target_modules is "
              + shown(modules)
              + ", expected a list of names; patterns are not supported");
    }
    Set<AdapterTarget> targets = EnumSet.noneOf(AdapterTarget.class);
    for (JsonNode module : modules) {
      targets.add(
          AdapterTarget.of(module.asText())
              .orElseThrow(
                  () ->
                      new CheckpointFormatException(
                          origin
                              + ": target_modules has "
                              + shown(module)
                              + ", adapters can be on "
                              + names(EnumSet.allOf(AdapterTarget.class)))));
    }
    return targets;
  }

  /// Writes `adapter_config.json` into `directory`.
  public void write(Path directory) throws IOException {
    AtomicFile.write(directory.resolve(FILE_NAME), toJson());
  }

  /// The file's text, with the keys of PEFT that say how the adapter computes.
  String toJson() {
    ObjectNode root = JSON.createObjectNode();
    root.putObject("alpha_pattern");
    root.putNull("auto_mapping");
    root.put("base_model_name_or_path", base.orElse(null));
    root.put("bias", "none");
    root.put("fan_in_fan_out", false);
    root.put("inference_mode", true);
    root.put("init_lora_weights", true);
    root.putNull("layers_pattern");
    root.putNull("layers_to_transform");
    double alpha = settings.alpha();
    if (alpha == Math.rint(alpha) && alpha < 1 << 30) {
      root.put("lora_alpha", (int) alpha);
    } else {
      root.put("lora_alpha", alpha);
    }
    root.put("lora_dropout", dropout);
    root.putNull("modules_to_save");
    root.put("peft_type", "LORA");
    root.put("r", settings.rank());
    root.putObject("rank_pattern");
    root.putNull("revision");
    names(settings.targets()).forEach(root.putArray("target_modules")::add);
    root.put("task_type", "CAUSAL_LM");
    root.put("use_dora", false);
    root.put("use_rslora", false);
    return root.toPrettyString() + "\n";
  }

  private static List<String> names(Set<AdapterTarget> targets) {
    return targets.stream().map(AdapterTarget::module).toList();
  }

  private static Optional<String> text(JsonNode root, String key) {
    return root.path(key).isTextual() ? Optional.of(root.path(key).asText()) : Optional.empty();
  }

  private static String shown(JsonNode node) {
    return node.isMissingNode() ? "absent" : oneLine(node.toString());
  }

  private static String oneLine(String text) {
    String line = text.replaceAll("\\s+", " ");
    return line.length() <= 80 ? line : line.substring(0, 79) + "…";
  }
}
