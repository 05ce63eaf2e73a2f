package moxin.train.verify;

/// A file of the last checkpoints of both runs.
///
/// @param file its name
/// @param whole SHA-256 of the undisturbed run's
/// @param killed SHA-256 of the killed run's
public record FileHash(String file, String whole, String killed) {

  /// Whether both are the same.
  public boolean isEqual() {
    return whole.equals(killed);
  }
}
