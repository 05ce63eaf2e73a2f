/// The numbers of a run for other programs that watch it.
///
/// Begin with [moxin.train.export.PrometheusFile]. This package knows runs as their observers do.
@NullMarked
package moxin.train.export;

import org.jspecify.annotations.NullMarked;
