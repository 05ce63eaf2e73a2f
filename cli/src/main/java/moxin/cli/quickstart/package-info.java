/// The whole pipeline as one command: documents to a small released model, step by step, each step
/// made once and found again by the hash of what it was made from.
///
/// Begin with [moxin.cli.quickstart.StepLedger], which is what makes a second run quick and a
/// killed run go on.
@NullMarked
package moxin.cli.quickstart;

import org.jspecify.annotations.NullMarked;
