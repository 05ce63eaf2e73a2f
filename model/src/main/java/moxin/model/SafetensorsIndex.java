package moxin.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import moxin.job.AtomicFile;

/// `model.safetensors.index.json`: which shard holds which tensor.
///
/// @param totalSize bytes of all tensors together
/// @param weightMap the file of each tensor, a plain name beside the index
record SafetensorsIndex(long totalSize, Map<String, String> weightMap) {

  private static final long MAX_BYTES = 1 << 25;

  static SafetensorsIndex read(Path file) throws IOException {
    ObjectNode root = CheckpointJson.readObject(file, MAX_BYTES);
    if (!(root.get("weight_map") instanceof ObjectNode map) || map.isEmpty()) {
      throw new CheckpointFormatException(file + ": weight_map is missing or empty");
    }
    Map<String, String> weightMap = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> property : map.properties()) {
      String shard = property.getValue().asText("");
      if (!property.getValue().isTextual() || !isPlainName(shard)) {
        throw new CheckpointFormatException(
            file
                + ": weight_map: "
                + CheckpointJson.oneLine(property.getKey())
                + " names no file beside the index: "
                + CheckpointJson.oneLine(property.getValue().toString()));
      }
      weightMap.put(property.getKey(), shard);
    }
    return new SafetensorsIndex(root.path("metadata").path("total_size").asLong(0), weightMap);
  }

  void write(Path file) throws IOException {
    ObjectNode root = CheckpointJson.object();
    root.putObject("metadata").put("total_size", totalSize);
    ObjectNode map = root.putObject("weight_map");
    new TreeMap<>(weightMap).forEach(map::put);
    AtomicFile.write(file, CheckpointJson.pretty(root));
  }

  private static boolean isPlainName(String name) {
    return name.matches("[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}");
  }
}
