package moxin.cli.quickstart;

import org.jspecify.annotations.Nullable;

/// How much a finished model is asked: the section `evaluation` of a recipe.
///
/// @param heldoutDocuments held-out documents, chosen by hash; 120 unless given
/// @param questions multiple-choice questions; 200 unless given
record EvaluationRecipe(Integer heldoutDocuments, Integer questions) {

  EvaluationRecipe(@Nullable Integer heldoutDocuments, @Nullable Integer questions) {
    this.heldoutDocuments = heldoutDocuments == null ? 120 : heldoutDocuments;
    this.questions = questions == null ? 200 : questions;
    if (this.heldoutDocuments <= 0 || this.questions <= 0) {
      throw new IllegalArgumentException("heldoutDocuments and questions must be positive");
    }
  }
}
