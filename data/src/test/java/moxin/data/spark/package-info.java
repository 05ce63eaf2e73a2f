/// Tests of corpus preparation on Spark, over one Spark session.
@NullMarked
package moxin.data.spark;

import org.jspecify.annotations.NullMarked;
