package moxin.release;

/// The names of a release folder's files.
final class ReleaseFolder {
  static final String CARD = "MODEL_OPENNESS.yml";
  static final String MODEL_CARD = "README.md";
  static final String DATA_CARD = "DATA_CARD.md";
  static final String MODEL = "model";
  static final String OPTIMIZER = "optimizer.safetensors";
  static final String CHECKPOINTS = "checkpoints";
  static final String DATA = "data";
  static final String TRAINING_DOCUMENTS = "data/documents/train";
  static final String HELD_OUT_DOCUMENTS = "data/documents/validation";
  static final String TOKENS = "tokens";
  static final String TOKENIZER = "tokenizer";
  static final String EVALUATION = "evaluation";
  static final String RESULTS = "evaluation/results.json";
  static final String REPORT = "report.html";
  static final String SAMPLES = "samples.jsonl";
  static final String METRICS = "metrics.jsonl";
  static final String VALIDATION = "validation.jsonl";
  static final String RECIPE = "recipe.yaml";
  static final String PAPER = "paper.pdf";
  static final String CODE = "code";
  static final String LICENCE = "LICENSE";
  static final String LICENCE_TEXTS = "LICENSES";

  private ReleaseFolder() {}
}
