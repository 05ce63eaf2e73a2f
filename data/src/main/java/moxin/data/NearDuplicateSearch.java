package moxin.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The near-duplicates among documents that share a band of their MinHash signature.
///
/// Two documents are near-duplicates when they share a band, come from different files, and the
/// true Jaccard similarity of their n-gram sets reaches the threshold. Of every connected component
/// of that relation the smallest identifier stays. The answer depends on the documents alone, never
/// on the order in which they come.
public final class NearDuplicateSearch {
  /// How many n-gram hashes are kept at a time; more are computed again.
  private static final long CACHED_HASHES = 16L << 20;

  private final CorpusRecipe.NearDuplicates settings;

  public NearDuplicateSearch(CorpusRecipe.NearDuplicates settings) {
    this.settings = settings;
  }

  /// A document that shares a band with another one.
  public record Candidate(String id, String splitKey, String text, long[] bands) {}

  /// Groups identifiers that are connected through shared bands, without looking at texts: each
  /// group can be searched by itself.
  ///
  /// @param buckets lists of two or more identifiers that share a band
  /// @return for each identifier the smallest one of its group
  public static Map<String, String> groups(Iterable<List<String>> buckets) {
    List<String> ids = new ArrayList<>();
    for (List<String> bucket : buckets) {
      ids.addAll(bucket);
    }
    String[] sorted = ids.stream().distinct().sorted().toArray(String[]::new);
    UnionFind union = new UnionFind(sorted.length);
    for (List<String> bucket : buckets) {
      int first = Arrays.binarySearch(sorted, bucket.getFirst());
      for (String id : bucket) {
        union.unite(first, Arrays.binarySearch(sorted, id));
      }
    }
    Map<String, String> groups = new HashMap<>();
    for (int i = 0; i < sorted.length; i++) {
      groups.put(sorted[i], sorted[union.find(i)]);
    }
    return groups;
  }

  /// Finds the near-duplicates of one group.
  ///
  /// @return for each document to drop, the one that stays in its place
  public Map<String, String> duplicates(Iterable<Candidate> group) {
    List<Candidate> candidates = new ArrayList<>();
    group.forEach(candidates::add);
    candidates.sort((a, b) -> a.id().compareTo(b.id()));
    Map<Long, List<Integer>> buckets = new TreeMap<>();
    for (int i = 0; i < candidates.size(); i++) {
      for (long band : candidates.get(i).bands()) {
        buckets.computeIfAbsent(band, key -> new ArrayList<>()).add(i);
      }
    }
    UnionFind union = new UnionFind(candidates.size());
    ShingleCache sets = new ShingleCache(candidates, settings.ngram());
    for (List<Integer> bucket : buckets.values()) {
      compare(bucket, candidates, union, sets);
    }
    Map<String, String> duplicates = new TreeMap<>();
    for (int i = 0; i < candidates.size(); i++) {
      int kept = union.find(i);
      if (kept != i) {
        duplicates.put(candidates.get(i).id(), candidates.get(kept).id());
      }
    }
    return duplicates;
  }

  /// Compares every pair of a bucket, save those already known to be connected: whether they are
  /// similar too would change nothing.
  private void compare(
      List<Integer> bucket, List<Candidate> candidates, UnionFind union, ShingleCache sets) {
    for (int i = 0; i < bucket.size(); i++) {
      int a = bucket.get(i);
      for (int j = i + 1; j < bucket.size(); j++) {
        int b = bucket.get(j);
        if (union.find(a) != union.find(b)
            && !candidates.get(a).splitKey().equals(candidates.get(b).splitKey())
            && similar(sets.get(a), sets.get(b))) {
          union.unite(a, b);
        }
      }
    }
  }

  private boolean similar(long[] a, long[] b) {
    return Math.min(a.length, b.length) >= settings.jaccard() * Math.max(a.length, b.length)
        && Shingles.jaccard(a, b) >= settings.jaccard();
  }

  /// The n-gram sets of the candidates used last, within a bound.
  private static final class ShingleCache {
    private final List<Candidate> candidates;
    private final int ngram;
    private final LinkedHashMap<Integer, long[]> sets = new LinkedHashMap<>(16, 0.75f, true);
    private long cached;

    ShingleCache(List<Candidate> candidates, int ngram) {
      this.candidates = candidates;
      this.ngram = ngram;
    }

    long[] get(int index) {
      long[] known = sets.get(index);
      if (known != null) {
        return known;
      }
      long[] set = Shingles.set(candidates.get(index).text(), ngram);
      sets.put(index, set);
      cached += set.length;
      var oldest = sets.entrySet().iterator();
      while (cached > CACHED_HASHES && sets.size() > 2) {
        cached -= oldest.next().getValue().length;
        oldest.remove();
      }
      return set;
    }
  }
}
