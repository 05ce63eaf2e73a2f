/// What every long job of Moxin has, whatever it makes: a way to report progress, outputs that
/// appear whole or not at all, content hashes, and a manifest that chains an artefact to what made
/// it.
///
/// Begin with [moxin.job.Manifest]; [moxin.job.AtomicFile] and [moxin.job.AtomicDirectory] are how
/// everything is written that a later step reads. This package knows no model, no text and no
/// terminal.
@NullMarked
package moxin.job;

import org.jspecify.annotations.NullMarked;
