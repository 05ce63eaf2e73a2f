/// The section `training:` of a recipe as validated records, with every default resolved.
///
/// Begin with [moxin.train.recipe.TrainingRecipe]. Records here hold numbers and paths; they open
/// no files and know no model.
@NullMarked
package moxin.train.recipe;

import org.jspecify.annotations.NullMarked;
