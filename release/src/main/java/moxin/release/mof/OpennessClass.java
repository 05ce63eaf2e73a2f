package moxin.release.mof;

/// The classes of the Model Openness Framework, from the least to the most open. A class includes
/// what the ones before it require.
public enum OpennessClass {
  III(3, "Class III - Open Model"),
  II(2, "Class II - Open Tooling Model"),
  I(1, "Class I - Open Science Model");

  private final int number;
  private final String label;

  OpennessClass(int number, String label) {
    this.number = number;
    this.label = label;
  }

  /// The framework's name for the class.
  public String label() {
    return label;
  }

  /// The class as a number, 1 for the most open.
  public int number() {
    return number;
  }
}
