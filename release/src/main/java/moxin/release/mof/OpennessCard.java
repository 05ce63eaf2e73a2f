package moxin.release.mof;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/// A Model Openness Tool card, as far as its class depends on it.
///
/// @param name of the release
/// @param producer who made it
/// @param licences of the whole release by `distribution`, `code`, `data` and `document`, present
///   ones only
/// @param components in the order of the card, each at most once
public record OpennessCard(
    String name, String producer, Map<String, String> licences, List<Item> components) {

  public OpennessCard {
    licences = Map.copyOf(licences);
    components = List.copyOf(components);
  }

  /// A component that the card lists.
  ///
  /// @param licence its own licence as the card spells it; empty where the card names none
  /// @param path where it is to be found, as the card spells it
  public record Item(Component component, Optional<String> licence, Optional<String> path) {}

  /// This card with those components only that `kept` keeps.
  public OpennessCard filter(Predicate<Item> kept) {
    return new OpennessCard(name, producer, licences, components.stream().filter(kept).toList());
  }

  /// The card's entry for `component`, if it lists it.
  public Optional<Item> item(Component component) {
    return components.stream().filter(item -> item.component() == component).findFirst();
  }

  /// The licence that holds for `item`: its own, else that of the release for its type, else that
  /// of the distribution; empty for unlicensed.
  public Optional<String> licenceOf(Item item) {
    return item.licence()
        .or(() -> Optional.ofNullable(licences.get(item.component().type().key())))
        .or(() -> Optional.ofNullable(licences.get("distribution")))
        .filter(licence -> !licence.equals("unlicensed"));
  }
}
