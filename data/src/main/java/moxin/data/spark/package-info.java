/// Runs the rules of `moxin.data` on Spark: one machine and a cluster give the same answer,
/// whatever the number of partitions.
///
/// Begin with [moxin.data.spark.CorpusPreparation]. No other package of Moxin sees Spark. Texts
/// stay in Spark's partitions; the driver sees identifiers, hashes and counts.
@NullMarked
package moxin.data.spark;

import org.jspecify.annotations.NullMarked;
