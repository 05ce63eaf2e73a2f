/// Tests of the scheduler: `HashModel` is a model whose texts depend on every token they have read,
/// whose passes advance a virtual clock, and whose cache can roll.
@NullMarked
package moxin.infer.schedule;

import org.jspecify.annotations.NullMarked;
