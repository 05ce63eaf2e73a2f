package moxin.train.run;

import java.util.List;
import moxin.train.loader.TokenSource;
import moxin.train.recipe.Phase;

/// Finds the documents behind the rows of a phase.
@FunctionalInterface
interface RowDocuments {

  /// The identities of the documents whose tokens are in `rows` rows from `firstRow` on.
  ///
  /// @param sources those of the phase
  /// @param seed of the phase's loader
  List<String> in(Phase phase, List<TokenSource> sources, long seed, long firstRow, long rows);
}
