package moxin.train.run;

import java.nio.file.Path;

/// The directory of a run, by the names of its files.
///
/// @param root the directory itself
public record RunDirectory(Path root) {

  /// The resolved recipe.
  public Path recipe() {
    return root.resolve("recipe.yaml");
  }

  /// One line per step.
  public Path metrics() {
    return root.resolve("metrics.jsonl");
  }

  /// One line per evaluation while training.
  public Path validation() {
    return root.resolve("validation.jsonl");
  }

  /// One line per task and time that it was asked.
  public Path evaluation() {
    return root.resolve("evaluation.jsonl");
  }

  /// One line per sample text.
  public Path samples() {
    return root.resolve("samples.jsonl");
  }

  /// One line per phase: how much of each source it read.
  public Path mixture() {
    return root.resolve("mixture.jsonl");
  }

  /// One line per step whose parameters were measured.
  public Path statistics() {
    return root.resolve("statistics.jsonl");
  }

  /// One line per spike, loss that is not finite, and warning.
  public Path incidents() {
    return root.resolve("incidents.jsonl");
  }

  /// The checkpoints, one directory each, and `latest`.
  public Path checkpoints() {
    return root.resolve("checkpoints");
  }
}
