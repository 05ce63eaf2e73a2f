package moxin.release.mof;

/// What a card's entry for a component is worth.
public enum ComponentStatus {
  /// Under an open licence that suits its type.
  INCLUDED,
  /// Under an open licence that the framework does not list for its type: counts, with a warning.
  CONDITIONAL,
  /// Under a licence that is not open: does not count.
  INVALID,
  /// Listed without a licence: does not count.
  UNLICENSED,
  /// Not listed.
  MISSING;

  /// Whether the component counts towards a class.
  public boolean counts() {
    return this == INCLUDED || this == CONDITIONAL;
  }
}
