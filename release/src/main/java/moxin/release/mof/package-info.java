/// The Model Openness Framework: what a release says it contains, and which class that makes.
///
/// Begin with [moxin.release.mof.OpennessEvaluation]. The rules are those of the Model Openness
/// Tool (White et al. 2024, "The Model Openness Framework"), on cards in its YAML form.
@NullMarked
package moxin.release.mof;

import org.jspecify.annotations.NullMarked;
