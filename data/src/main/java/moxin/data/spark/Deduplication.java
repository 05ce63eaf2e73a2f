package moxin.data.spark;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import moxin.data.CorpusRecipe;
import moxin.data.CorpusReport;
import moxin.data.NearDuplicateSearch;
import moxin.data.NearDuplicateSearch.Candidate;
import moxin.data.StagedDocument;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import scala.Tuple2;

/// Finds duplicates on Spark. Only hashes and identifiers are shuffled, and the texts of
/// candidates; the driver holds the identifiers of duplicates and candidates.
final class Deduplication {
  private final CorpusRecipe recipe;
  private final StageProgress stages;

  Deduplication(CorpusRecipe recipe, StageProgress stages) {
    this.recipe = recipe;
    this.stages = stages;
  }

  /// The documents to drop, with the reason.
  Map<String, String> duplicates(JavaRDD<StagedDocument> documents) throws IOException {
    Map<String, String> dropped = new HashMap<>();
    stages
        .run("Find exact duplicates", "exactDuplicates", () -> exact(documents))
        .forEach(id -> dropped.put(id, CorpusReport.EXACT));
    if (recipe.nearDuplicates().permutations() > 0) {
      stages
          .run("Find near-duplicates", "nearDuplicates", () -> near(documents, dropped.keySet()))
          .forEach(id -> dropped.put(id, CorpusReport.NEAR));
    }
    return dropped;
  }

  /// All but the smallest identifier of every text that occurs more than once.
  private static List<String> exact(JavaRDD<StagedDocument> documents) {
    List<String> duplicates = new ArrayList<>();
    for (List<String> ids :
        buckets(documents.mapToPair(document -> new Tuple2<>(document.hash(), document.id())))) {
      duplicates.addAll(ids.stream().sorted().skip(1).toList());
    }
    return duplicates;
  }

  private Set<String> near(JavaRDD<StagedDocument> documents, Set<String> exact) {
    JavaSparkContext spark = JavaSparkContext.fromSparkContext(documents.context());
    Broadcast<Set<String>> gone = spark.broadcast(Set.copyOf(exact));
    JavaRDD<StagedDocument> unique =
        documents.filter(document -> !gone.value().contains(document.id()));
    List<List<String>> buckets =
        buckets(
            unique.flatMapToPair(
                document -> {
                  List<Tuple2<Long, String>> bands = new ArrayList<>();
                  for (long band : document.bands()) {
                    bands.add(new Tuple2<>(band, document.id()));
                  }
                  return bands.iterator();
                }));
    Broadcast<Map<String, String>> groups = spark.broadcast(NearDuplicateSearch.groups(buckets));
    CorpusRecipe.NearDuplicates settings = recipe.nearDuplicates();
    Map<String, String> duplicates = new TreeMap<>();
    unique
        .filter(document -> groups.value().containsKey(document.id()))
        .mapToPair(document -> new Tuple2<>(groups.value().get(document.id()), document))
        .groupByKey()
        .flatMap(
            group ->
                List.copyOf(
                        new NearDuplicateSearch(settings)
                            .duplicates(candidates(group._2())).entrySet().stream()
                                .map(entry -> new Tuple2<>(entry.getKey(), entry.getValue()))
                                .toList())
                    .iterator())
        .collect()
        .forEach(pair -> duplicates.put(pair._1(), pair._2()));
    gone.unpersist();
    groups.unpersist();
    return duplicates.keySet();
  }

  private static List<Candidate> candidates(Iterable<StagedDocument> documents) {
    List<Candidate> candidates = new ArrayList<>();
    for (StagedDocument document : documents) {
      candidates.add(
          new Candidate(document.id(), document.splitKey(), document.text(), document.bands()));
    }
    return candidates;
  }

  /// The identifiers that share a key with another one.
  private static <K> List<List<String>> buckets(
      org.apache.spark.api.java.JavaPairRDD<K, String> keyed) {
    return keyed
        .groupByKey()
        .values()
        .map(Deduplication::listOf)
        .filter(bucket -> bucket.size() > 1)
        .collect();
  }

  private static List<String> listOf(Iterable<String> ids) {
    List<String> list = new ArrayList<>();
    ids.forEach(list::add);
    return list;
  }
}
