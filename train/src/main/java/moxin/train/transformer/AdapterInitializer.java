package moxin.train.transformer;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;

/// Fresh adapters: A uniform in ±1/√in, as PEFT draws it (He et al. 2015 with a = √5), and B zero.
/// They depend on the seed and a tensor's name only.
record AdapterInitializer(long seed) {

  /// The values of tensor `name` of `shape`, row by row.
  float[] values(String name, List<Long> shape) {
    float[] values = new float[Math.toIntExact(shape.getFirst() * shape.getLast())];
    if (name.endsWith(".lora_B.weight")) {
      return values;
    }
    CRC32C hash = new CRC32C();
    hash.update(name.getBytes(StandardCharsets.UTF_8));
    SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + hash.getValue());
    double bound = 1 / Math.sqrt(shape.getLast());
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) ((2 * random.nextDouble() - 1) * bound);
    }
    return values;
  }
}
