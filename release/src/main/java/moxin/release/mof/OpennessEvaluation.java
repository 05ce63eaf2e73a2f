package moxin.release.mof;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What the Model Openness Tool says of a card: the status of each component, the progress towards
/// each class, and the class reached.
///
/// @param statuses of all seventeen components
/// @param licences that hold for the listed components
/// @param progress towards each class
public record OpennessEvaluation(
    OpennessCard card,
    Map<Component, ComponentStatus> statuses,
    Map<Component, String> licences,
    Map<OpennessClass, Progress> progress) {

  public OpennessEvaluation {
    statuses = Map.copyOf(statuses);
    licences = Map.copyOf(licences);
    progress = Map.copyOf(progress);
  }

  /// Progress towards a class.
  ///
  /// @param included required components that count
  /// @param required components that the class requires, lower classes' included
  /// @param percent 0 to 100; 0 as long as a lower class is not complete
  public record Progress(int included, int required, double percent) {}

  /// Evaluates `card` with the licences that come with the program.
  public static OpennessEvaluation of(OpennessCard card) {
    Map<Component, ComponentStatus> statuses = new EnumMap<>(Component.class);
    Map<Component, String> licences = new EnumMap<>(Component.class);
    for (Component component : Component.values()) {
      statuses.put(component, ComponentStatus.MISSING);
    }
    for (OpennessCard.Item item : card.components()) {
      Optional<String> licence = card.licenceOf(item);
      licence.ifPresent(id -> licences.put(item.component(), id));
      statuses.put(item.component(), status(item.component(), licence));
    }
    return new OpennessEvaluation(card, statuses, licences, progress(statuses));
  }

  private static ComponentStatus status(Component component, Optional<String> licence) {
    if (licence.isEmpty()) {
      return ComponentStatus.UNLICENSED;
    }
    LicenceList list = LicenceList.bundled();
    if (!list.isOpen(licence.get())) {
      return ComponentStatus.INVALID;
    }
    return list.suits(licence.get(), component.type())
        ? ComponentStatus.INCLUDED
        : ComponentStatus.CONDITIONAL;
  }

  private static Map<OpennessClass, Progress> progress(Map<Component, ComponentStatus> statuses) {
    Map<OpennessClass, Progress> progress = new EnumMap<>(OpennessClass.class);
    boolean lowerComplete = true;
    for (OpennessClass target : OpennessClass.values()) {
      List<Component> required = required(target, statuses);
      int included =
          (int) required.stream().filter(component -> countsIn(statuses, component)).count();
      double percent = lowerComplete ? 100.0 * included / required.size() : 0;
      progress.put(target, new Progress(included, required.size(), percent));
      lowerComplete &= included == required.size();
    }
    return progress;
  }

  /// The components that `target` requires. Where the technical report does not count and a
  /// research paper is listed, the paper stands in for the report; in class I, which requires both,
  /// the report then only falls away if the paper counts.
  private static List<Component> required(
      OpennessClass target, Map<Component, ComponentStatus> statuses) {
    boolean paperStandsIn =
        !countsIn(statuses, Component.TECHNICAL_REPORT)
            && statuses.get(Component.RESEARCH_PAPER) != ComponentStatus.MISSING;
    return Arrays.stream(Component.values())
        .filter(component -> component.isRequiredFor(target))
        .filter(
            component ->
                component != Component.TECHNICAL_REPORT
                    || !paperStandsIn
                    || target != OpennessClass.I
                    || !countsIn(statuses, Component.RESEARCH_PAPER))
        .map(
            component ->
                component == Component.TECHNICAL_REPORT
                        && paperStandsIn
                        && target != OpennessClass.I
                    ? Component.RESEARCH_PAPER
                    : component)
        .toList();
  }

  private static boolean countsIn(Map<Component, ComponentStatus> statuses, Component component) {
    ComponentStatus status = statuses.get(component);
    return status != null && status.counts();
  }

  /// The status of `component`.
  public ComponentStatus status(Component component) {
    return statuses.getOrDefault(component, ComponentStatus.MISSING);
  }

  /// The best class whose requirements are all met; empty for unclassified.
  public Optional<OpennessClass> reached() {
    OpennessClass best = null;
    for (OpennessClass target : OpennessClass.values()) {
      if (percentRounded(target) == 100 && complete(target)) {
        best = target;
      }
    }
    return Optional.ofNullable(best);
  }

  /// The progress towards `target` in whole percent, as badges show it.
  public long percentRounded(OpennessClass target) {
    Progress value = progress.get(target);
    return value == null ? 0 : Math.round(value.percent());
  }

  /// What keeps the release from `target`: required components that do not count.
  public List<Component> lacking(OpennessClass target) {
    return required(target, statuses).stream().filter(c -> !countsIn(statuses, c)).toList();
  }

  private boolean complete(OpennessClass target) {
    return Arrays.stream(OpennessClass.values())
        .filter(lower -> lower.compareTo(target) <= 0)
        .allMatch(lower -> lacking(lower).isEmpty());
  }
}
