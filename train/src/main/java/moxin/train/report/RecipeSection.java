package moxin.train.report;

import moxin.job.RecipeFile;

/// The resolved recipe, folded.
final class RecipeSection {
  private static final int MOST_CHARACTERS = 60_000;

  private RecipeSection() {}

  static void write(Markup page, RunFiles run) {
    run.recipe().ifPresent(recipe -> write(page, recipe));
  }

  private static void write(Markup page, RecipeFile recipe) {
    page.section("Recipe");
    page.open("details").leaf("summary", "recipe.yaml, as it was resolved");
    page.leaf("pre", Figures.shortened(recipe.toYaml(), MOST_CHARACTERS));
    page.close().close();
  }
}
