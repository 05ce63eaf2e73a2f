/// Tests of joining, exchange and sums in rank order.
@NullMarked
package moxin.collective;

import org.jspecify.annotations.NullMarked;
