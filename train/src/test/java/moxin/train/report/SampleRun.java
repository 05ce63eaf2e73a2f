package moxin.train.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/// A run directory with every file that a report reads.
final class SampleRun {
  private static final String RECIPE =
      """
      name: tiny
      seed: 1
      training:
        learningRate: 0.001
        optimizer: {gradientClip: 1.0}
        phases:
          - {name: short, steps: 10, contextLength: 16, batchSize: 4, sources: [{name: train}]}
          - {name: long, steps: 5, contextLength: 32, batchSize: 2, sources: [{name: train}]}
      """;

  private static final String CONFIG =
      """
      {"architectures": ["MistralForCausalLM"], "model_type": "mistral", "vocab_size": 32,
       "hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1,
       "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 4, "rms_norm_eps": 1e-5,
       "rope_theta": 10000.0, "sliding_window": 16, "max_position_embeddings": 64,
       "tie_word_embeddings": false, "bos_token_id": 1, "eos_token_id": 2}
      """;

  private static final String MANIFEST =
      """
      {"kind": "checkpoint", "created": "2031-01-02T03:04:05.678Z",
       "code": {"version": "1.2.3", "commit": "0123456789012345678901234567890123456789",
                "modified": true},
       "environment": {"java": "25", "os": "Linux 6", "architecture": "amd64", "processors": "2"},
       "recipe": null,
       "inputs": [{"name": "phase short: train.npy", "sha256": "abcd", "byteSize": 1234}],
       "outputs": []}
      """;

  private static final String RESULTS =
      """
      {"results": {
         "heldout": {"alias": "heldout", "bits_per_byte,none": 1.21,
                     "bits_per_byte_stderr,none": "N/A"},
         "heldout_code": {"alias": "heldout_code", "bits_per_byte,none": 0.9},
         "javadoc_choice": {"acc,none": 0.412, "acc_stderr,none": 0.0221}},
       "higher_is_better": {"heldout": {"bits_per_byte": false}, "javadoc_choice": {"acc": true}},
       "n-samples": {"javadoc_choice": {"original": 600, "effective": 500}},
       "n-shot": {"heldout": 0, "javadoc_choice": 0}}
      """;

  private static final String SIZE = "{\"documents\": %d, \"bytes\": %d, \"characters\": %d}";

  private SampleRun() {}

  static void write(Path run, int steps) throws IOException {
    Path checkpoint = run.resolve("checkpoints/step-%06d".formatted(steps));
    Files.createDirectories(checkpoint);
    Files.createDirectories(run.resolve("data"));
    Files.createDirectories(run.resolve("evaluation"));
    Files.createSymbolicLink(run.resolve("checkpoints/latest"), checkpoint.getFileName());
    Files.writeString(checkpoint.resolve("config.json"), CONFIG);
    Files.writeString(checkpoint.resolve("manifest.json"), MANIFEST);
    Files.writeString(run.resolve("recipe.yaml"), RECIPE);
    Files.writeString(run.resolve("evaluation/results.json"), RESULTS);
    Files.writeString(
        run.resolve("evaluation/summary.json"),
        "{\"bitsPerByte\": 1.21, \"xzBitsPerByte\": 1.72, \"perplexity\": 11.2}");
    Files.writeString(run.resolve("data/report.json"), corpusReport());
    logs(run, steps);
  }

  /// A line of `metrics.jsonl` with one number everywhere.
  static String step(long step, String number) {
    return "{\"step\": %d, \"phase\": \"p\", \"loss\": N, \"lr\": N, \"gradNorm\": N, \"tokens\": N, "
            .formatted(step)
            .replace("N", number)
        + "\"tokensPerSecond\": N, \"seconds\": N, \"time\": N, \"mfu\": N}\n".replace("N", number);
  }

  private static void logs(Path run, int steps) throws IOException {
    StringBuilder metrics = new StringBuilder();
    StringBuilder validation = new StringBuilder();
    StringBuilder evaluation = new StringBuilder();
    StringBuilder samples = new StringBuilder();
    for (int step = 1; step <= steps; step++) {
      String phase = 3 * step <= 2 * steps ? "short" : "long";
      double loss = 1 + 3 / Math.sqrt(step) + 0.05 * Math.sin(step);
      String measured =
          step == 77
              ? "\"skipped\":true"
              : format("\"loss\":%.17g,\"gradNorm\":%.17g", loss, Math.abs(Math.cos(step)));
      metrics.append(
          format(
              "{\"step\":%d,\"phase\":\"%s\",\"lr\":%.17g,\"tokens\":%d,\"tokensPerSecond\":%.17g,"
                  + "\"seconds\":%.17g,\"time\":%.17g,%s}%n",
              step,
              phase,
              1e-3 / step,
              64L * step,
              256 + 9 * Math.sin(step),
              step / 4.0,
              1.9e9 + step,
              measured));
      if (step % Math.max(1, steps / 10) == 0) {
        validation.append(
            format(
                "{\"step\":%d,\"phase\":\"%s\",\"loss\":1.1,\"bitsPerByte\":0.51,\"targets\":9}%n",
                step, phase));
        evaluation.append(
            format(
                "{\"step\":%d,\"phase\":\"%s\",\"task\":\"heldout\",\"questions\":9,\"metrics\":"
                    + "{\"bits_per_byte\":{\"value\":%.17g,\"higherIsBetter\":false}}}%n",
                step, phase, loss / 3));
        samples.append(format("{\"step\":%d,\"prompt\":\"a <\",\"text\":\"> b & c\"}%n", step));
      }
    }
    Files.writeString(run.resolve("metrics.jsonl"), metrics);
    Files.writeString(run.resolve("validation.jsonl"), validation);
    Files.writeString(run.resolve("evaluation.jsonl"), evaluation);
    Files.writeString(run.resolve("samples.jsonl"), samples);
  }

  private static String corpusReport() {
    StringBuilder funnel = new StringBuilder();
    int left = 1000;
    for (String stage :
        "files documents afterRules afterExactDuplicates afterNearDuplicates train validation"
            .split(" ", -1)) {
      funnel.append(funnel.isEmpty() ? "" : ", ").append('"').append(stage).append("\": ");
      funnel.append(format(SIZE, left, left * 900L, left * 890L));
      left = left * 9 / 10;
    }
    return "{\"sources\": {\"code\": {"
        + funnel
        + "}}, \"skipped\": [], \"dropped\": [{\"source\": \"code\", \"reason\":"
        + " \"near-duplicate\", \"documents\": 73, \"bytes\": 66000, \"example\": \"a/b.java\"}],"
        + " \"licences\": [{\"source\": \"code\", \"licence\": \"GPL-2.0-only\", \"files\": 9,"
        + " \"bytes\": 8, \"example\": \"a/b.java\", \"evidence\": \"notice\"}], \"replaced\": 0}";
  }

  private static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format.replace("%n", "\n"), values);
  }
}
