package moxin.release;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import moxin.job.ContentHash;
import moxin.job.Manifest;

/// A small run as the other modules leave it, with bytes in place of weights and documents.
record SampleRun(Path run, Path home) {

  static SampleRun create(Path directory, String licence) throws IOException {
    SampleRun sample = new SampleRun(directory.resolve("run"), directory.resolve("home"));
    Path raw = directory.resolve("src.zip");
    write(raw, "raw");
    sample.corpus(raw, licence);
    Path tokenizer = sample.run.resolve("tokenizer");
    write(tokenizer.resolve("tokenizer.model"), "pieces");
    Path documents = sample.run.resolve("data/documents");
    Manifest.write(
        tokenizer,
        "tokenizer",
        null,
        List.of(Manifest.Entry.of("documents", documents.resolve("train"))));
    Path tokens = sample.run.resolve("tokens");
    write(tokens.resolve("train/code-00000.npy"), "shard");
    Path model = tokenizer.resolve("tokenizer.model");
    Manifest.write(
        tokens,
        "tokens",
        null,
        List.of(
            Manifest.Entry.of("documents", documents),
            new Manifest.Entry("tokenizer", ContentHash.ofFile(model), 0)));
    for (int step : List.of(10, 20)) {
      sample.checkpoint(step);
    }
    write(
        sample.run.resolve("evaluation/results.json"),
        """
        {"results": {"heldout": {"alias": "heldout", "bits_per_byte,none": 2.5,
          "bits_per_byte_stderr,none": "N/A"},
          "javadoc_mc": {"alias": "javadoc_mc", "acc,none": 0.25, "acc_stderr,none": 0.125}},
         "n-samples": {"heldout": {"original": 9, "effective": 9},
          "javadoc_mc": {"original": 40, "effective": 4}}}
        """);
    write(sample.run.resolve("report.html"), "<html></html>");
    write(sample.run.resolve("samples.jsonl"), "{}\n");
    write(sample.run.resolve("recipe.yaml"), "name: tiny\nrelease: {producer: the tests}\n");
    write(sample.home.resolve("pom.xml"), "<project/>");
    for (String module : List.of("model", "train", "infer", "eval", "data", "text")) {
      write(sample.home.resolve(module).resolve("pom.xml"), "<project/>");
      write(sample.home.resolve(module).resolve("src/main/java/A.java"), "class A {}");
      write(sample.home.resolve(module).resolve("target/A.class"), "built");
    }
    return sample;
  }

  ReleaseOptions options() {
    return new ReleaseOptions(java.util.Optional.of(home), List.of());
  }

  private void corpus(Path raw, String licence) throws IOException {
    Path data = run.resolve("data");
    write(data.resolve("documents/train/code/part-00000.jsonl.zst"), "train");
    write(data.resolve("documents/validation/code/part-00000.jsonl.zst"), "held out");
    write(data.resolve("evaluation/javadoc.jsonl"), "{}\n");
    write(
        data.resolve("report.json"),
        """
        {"sources": {"code": {"files": {"documents": 3}, "train": {"documents": 2}},
           "prose": {"files": {"documents": 3}, "train": {"documents": 3, "characters": 12}}},
         "dropped": [{"source": "code", "reason": "short", "documents": 1, "bytes": 5}],
         "licences": [{"source": "code", "licence": "%s", "files": 3, "bytes": 30,
           "example": "java.base/A.java", "evidence": "words | of it"},
           {"source": "prose", "licence": "%s", "files": 3, "bytes": 30,
           "example": "java.base/A.java", "evidence": "words | of it"}],
         "settings": {"sources": [{"name": "code", "kind": "files"}]}}
        """
            .formatted(licence, licence));
    Manifest.write(data, "corpus", null, List.of(Manifest.Entry.of("code", raw)));
  }

  private void checkpoint(int step) throws IOException {
    Path checkpoint = run.resolve("checkpoints").resolve("step-%06d".formatted(step));
    Path tokenizer = run.resolve("tokenizer/tokenizer.model");
    write(checkpoint.resolve("model.safetensors"), "weights " + step);
    write(checkpoint.resolve("optimizer.safetensors"), "moments " + step);
    write(
        checkpoint.resolve("config.json"),
        """
        {"model_type": "mistral", "vocab_size": 32, "hidden_size": 8, "intermediate_size": 16,
         "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
         "max_position_embeddings": 64, "sliding_window": 32, "tie_word_embeddings": true}
        """);
    write(checkpoint.resolve("trainer_state.json"), "{\"step\": " + step + ", \"tokens\": 7}");
    Files.copy(tokenizer, checkpoint.resolve("tokenizer.model"));
    List<Manifest.Entry> inputs = new ArrayList<>();
    inputs.add(Manifest.Entry.of("phase a: code", run.resolve("tokens/train/code-00000.npy")));
    inputs.add(Manifest.Entry.of("tokenizer: tokenizer.model", tokenizer));
    Manifest.write(checkpoint, "checkpoint", null, inputs);
  }

  static void write(Path file, String text) throws IOException {
    Path parent = file.getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    Files.writeString(file, text);
  }
}
