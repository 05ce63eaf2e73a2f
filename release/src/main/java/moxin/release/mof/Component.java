package moxin.release.mof;

import java.util.Arrays;
import java.util.Optional;

/// The seventeen components of the framework, by the names that cards use.
public enum Component {
  MODEL_ARCHITECTURE("Model architecture", ContentType.CODE, OpennessClass.III, Need.REQUIRED),
  FINAL_PARAMETERS("Model parameters (Final)", ContentType.DATA, OpennessClass.III, Need.REQUIRED),
  TECHNICAL_REPORT("Technical report", ContentType.DOCUMENT, OpennessClass.III, Need.REQUIRED),
  EVALUATION_RESULTS("Evaluation results", ContentType.DOCUMENT, OpennessClass.III, Need.REQUIRED),
  MODEL_CARD("Model card", ContentType.DOCUMENT, OpennessClass.III, Need.REQUIRED),
  DATA_CARD("Data card", ContentType.DOCUMENT, OpennessClass.III, Need.REQUIRED),
  SAMPLE_OUTPUTS("Sample model outputs", ContentType.DOCUMENT, OpennessClass.III, Need.OPTIONAL),
  TRAINING_CODE("Training code", ContentType.CODE, OpennessClass.II, Need.REQUIRED),
  INFERENCE_CODE("Inference code", ContentType.CODE, OpennessClass.II, Need.REQUIRED),
  EVALUATION_CODE("Evaluation code", ContentType.CODE, OpennessClass.II, Need.REQUIRED),
  EVALUATION_DATA("Evaluation data", ContentType.DATA, OpennessClass.II, Need.REQUIRED),
  SUPPORTING_TOOLS(
      "Supporting libraries and tools", ContentType.CODE, OpennessClass.II, Need.OPTIONAL),
  DATASETS("Datasets", ContentType.DATA, OpennessClass.I, Need.REQUIRED),
  PREPROCESSING_CODE("Data preprocessing code", ContentType.CODE, OpennessClass.I, Need.REQUIRED),
  RESEARCH_PAPER("Research paper", ContentType.DOCUMENT, OpennessClass.I, Need.REQUIRED),
  INTERMEDIATE_PARAMETERS(
      "Model parameters (Intermediate)", ContentType.DATA, OpennessClass.I, Need.REQUIRED),
  MODEL_METADATA("Model metadata", ContentType.DATA, OpennessClass.I, Need.OPTIONAL);

  private final String label;
  private final ContentType type;
  private final OpennessClass openness;
  private final Need need;

  private enum Need {
    REQUIRED,
    OPTIONAL
  }

  Component(String label, ContentType type, OpennessClass openness, Need need) {
    this.label = label;
    this.type = type;
    this.openness = openness;
    this.need = need;
  }

  /// The component of that name in a card, if there is one.
  public static Optional<Component> named(String label) {
    return Arrays.stream(values()).filter(c -> c.label.equals(label.strip())).findFirst();
  }

  /// The name in cards.
  public String label() {
    return label;
  }

  /// What it is made of.
  public ContentType type() {
    return type;
  }

  /// The first class that asks for it.
  public OpennessClass openness() {
    return openness;
  }

  /// Whether `target` cannot be reached without it.
  public boolean isRequiredFor(OpennessClass target) {
    return need == Need.REQUIRED && openness.compareTo(target) <= 0;
  }
}
