package moxin.train.run;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import moxin.job.BadInputException;
import moxin.train.estimate.PhaseLength;
import moxin.train.loader.TokenSource;
import moxin.train.recipe.Phase;
import moxin.train.recipe.Source;
import moxin.train.recipe.TrainingRecipe;

/// How long the phases of a recipe are, whether or not its token shards are here.
///
/// @param notes what a reader of the recipe may not expect, one line each
public record PhaseLengths(List<PhaseLength> phases, List<String> notes) {

  public PhaseLengths {
    phases = List.copyOf(phases);
    notes = List.copyOf(notes);
  }

  /// The lengths by the shards where all of them are here, else by the recipe alone.
  ///
  /// @param named the shards behind the names of sources
  /// @throws BadInputException if shards are missing and a phase's length is given in epochs
  public static PhaseLengths of(TrainingRecipe recipe, Map<String, Path> named, long seed)
      throws IOException {
    Optional<String> missing = missing(recipe, named);
    if (missing.isPresent()) {
      return byRecipe(recipe, missing.get());
    }
    Plan plan = Plan.of(named, recipe, seed, Integer.MAX_VALUE);
    return new PhaseLengths(
        plan.phases().stream()
            .map(planned -> new PhaseLength(planned.phase(), planned.steps()))
            .toList(),
        plan.notes());
  }

  /// What is said of the first source that is not here.
  private static Optional<String> missing(TrainingRecipe recipe, Map<String, Path> named)
      throws IOException {
    try {
      for (Phase phase : recipe.phases()) {
        for (Source source : phase.sources()) {
          TokenSource.files(source.label(), Inputs.locate(named, source));
        }
      }
      return Optional.empty();
    } catch (BadInputException e) {
      return Optional.of(e.getMessage());
    }
  }

  private static PhaseLengths byRecipe(TrainingRecipe recipe, String missing) {
    List<PhaseLength> lengths = new ArrayList<>();
    for (Phase phase : recipe.phases()) {
      OptionalLong steps = Plan.stepsOf(phase);
      if (steps.isEmpty()) {
        throw new BadInputException(
            "phase " + phase.name() + ": its length in epochs cannot be known: " + missing);
      }
      lengths.add(new PhaseLength(phase, steps.getAsLong()));
    }
    return new PhaseLengths(lengths, List.of("Lengths are the recipe's alone: " + missing));
  }
}
