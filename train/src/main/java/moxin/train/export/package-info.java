/// The numbers of a run for other programs that watch it.
///
/// Begin with [moxin.train.export.PrometheusFile]; [moxin.train.export.MlflowRun] tells a tracking
/// server. This package knows runs as their observers do, and never holds them up.
@NullMarked
package moxin.train.export;

import org.jspecify.annotations.NullMarked;
