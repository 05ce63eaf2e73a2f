/// Evaluation: tasks turn documents into requests, a model answers them, metrics judge the answers.
///
/// Begin with [moxin.eval.Evaluation]; [moxin.eval.RequestRunner] answers requests over the seam
/// `LanguageModel` by the rules of lm-evaluation-harness (commit 4e7e0d4), so that figures can be
/// laid beside published ones. This package does not know which engine computes the logits, nor
/// where documents come from beyond their files.
@NullMarked
package moxin.eval;

import org.jspecify.annotations.NullMarked;
