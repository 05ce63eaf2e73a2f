/// Releases: what is open, under which licence, and which class of the Model Openness Framework the
/// files really reach.
///
/// Begin with [moxin.release.ReleaseBuilder], which gathers a run into a folder, and
/// [moxin.release.ReleaseCheck], which believes nothing that the folder's files do not show.
/// [moxin.release.ManifestChain] walks from the weights back to the documents by hash. The
/// framework's rules are in `moxin.release.mof`. This package runs no model and knows the layout of
/// a run only by its manifests.
@NullMarked
package moxin.release;

import org.jspecify.annotations.NullMarked;
