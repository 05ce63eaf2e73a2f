/// TensorBoard's event files: scalars by step, in TFRecord frames around protobuf messages that are
/// written by hand.
///
/// Begin with [moxin.train.tensorboard.EventFileWriter]. This package knows neither runs nor
/// models.
@NullMarked
package moxin.train.tensorboard;

import org.jspecify.annotations.NullMarked;
