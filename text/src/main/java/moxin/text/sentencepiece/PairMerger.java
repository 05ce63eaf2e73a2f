package moxin.text.sentencepiece;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.function.BiPredicate;

/// Byte-pair merging over counted words: the most frequent pair of neighbours becomes a new symbol,
/// again and again. Pair counts are kept up to date by visiting only the words that hold the pair;
/// ties go to the pair of the older symbols, so the result depends on the counts alone.
final class PairMerger {
  private final BiPredicate<String, String> mayMerge;
  private final List<String> texts = new ArrayList<>();
  private final Map<String, Integer> symbolOfText = new HashMap<>();
  private final List<int[]> words = new ArrayList<>();
  private final List<Long> weights = new ArrayList<>();
  private final LongIntTable pairIndex = new LongIntTable(1 << 14);
  private final List<Pair> pairs = new ArrayList<>();
  private final PriorityQueue<Candidate> queue = new PriorityQueue<>();

  private static final class Pair {
    final int left;
    final int right;
    final boolean allowed;
    final IntList where = new IntList(16);
    long count;
    long queued;

    Pair(int left, int right, boolean allowed) {
      this.left = left;
      this.right = right;
      this.allowed = allowed;
    }
  }

  private record Candidate(long count, Pair pair) implements Comparable<Candidate> {
    @Override
    public int compareTo(Candidate other) {
      if (count != other.count) {
        return Long.compare(other.count, count);
      }
      return pair.left != other.pair.left
          ? Integer.compare(pair.left, other.pair.left)
          : Integer.compare(pair.right, other.pair.right);
    }
  }

  PairMerger(List<String> characters, BiPredicate<String, String> mayMerge) {
    this.mayMerge = mayMerge;
    characters.forEach(this::symbol);
  }

  /// Adds a stretch of known characters that occurs `weight` times.
  void add(int[] codePoints, long weight) {
    int[] word = new int[codePoints.length];
    for (int i = 0; i < word.length; i++) {
      word[i] = symbol(Character.toString(codePoints[i]));
    }
    int index = words.size();
    words.add(word);
    weights.add(weight);
    for (int i = 0; i + 1 < word.length; i++) {
      change(word[i], word[i + 1], weight, index);
    }
  }

  /// Queues what was added; to be called once before [#merge].
  void begin() {
    pairs.forEach(this::queue);
  }

  /// Merges the most frequent pair and returns its text; null when no pair occurs twice.
  @org.jspecify.annotations.Nullable
  String merge() {
    while (!queue.isEmpty()) {
      Candidate top = queue.poll();
      Pair pair = top.pair();
      if (top.count() != pair.queued) {
        continue;
      }
      if (pair.count != pair.queued) {
        queue(pair);
        continue;
      }
      String text = texts.get(pair.left) + texts.get(pair.right);
      boolean isNew = !symbolOfText.containsKey(text);
      apply(pair, symbol(text));
      if (isNew) {
        return text;
      }
    }
    return null;
  }

  private void apply(Pair pair, int merged) {
    int touchedFrom = pairs.size();
    List<Pair> grown = new ArrayList<>();
    for (int w = 0; w < pair.where.size(); w++) {
      int index = pair.where.get(w);
      int[] word = words.get(index);
      long weight = weights.get(index);
      int kept = 0;
      int[] result = new int[word.length];
      boolean found = false;
      for (int i = 0; i < word.length; i++) {
        if (i + 1 < word.length && word[i] == pair.left && word[i + 1] == pair.right) {
          result[kept++] = merged;
          i++;
          found = true;
        } else {
          result[kept++] = word[i];
        }
      }
      if (!found) {
        continue;
      }
      for (int i = 0; i + 1 < word.length; i++) {
        change(word[i], word[i + 1], -weight, -1);
      }
      int[] shorter = java.util.Arrays.copyOf(result, kept);
      for (int i = 0; i + 1 < kept; i++) {
        boolean fresh = shorter[i] == merged || shorter[i + 1] == merged;
        Pair changed = change(shorter[i], shorter[i + 1], weight, fresh ? index : -1);
        if (fresh && changed.count > changed.queued) {
          grown.add(changed);
        }
      }
      words.set(index, shorter);
    }
    pair.where.clear();
    for (Pair changed : grown) {
      if (changed.count > changed.queued) {
        queue(changed);
      }
    }
    for (Pair fresh : pairs.subList(touchedFrom, pairs.size())) {
      if (fresh.count > fresh.queued) {
        queue(fresh);
      }
    }
  }

  private Pair change(int left, int right, long by, int wordIndex) {
    long key = ((long) left << 32) | right;
    int index = pairIndex.get(key, -1);
    if (index < 0) {
      index = pairs.size();
      pairIndex.put(key, index);
      pairs.add(new Pair(left, right, mayMerge.test(texts.get(left), texts.get(right))));
    }
    Pair pair = pairs.get(index);
    if (pair.allowed) {
      pair.count += by;
      int size = pair.where.size();
      if (wordIndex >= 0 && (size == 0 || pair.where.get(size - 1) != wordIndex)) {
        pair.where.add(wordIndex);
      }
    }
    return pair;
  }

  private void queue(Pair pair) {
    pair.queued = pair.count;
    if (pair.count >= 2) {
      queue.add(new Candidate(pair.count, pair));
    }
  }

  private int symbol(String text) {
    Integer known = symbolOfText.get(text);
    if (known != null) {
      return known;
    }
    int symbol = texts.size();
    texts.add(text);
    symbolOfText.put(text, symbol);
    return symbol;
  }
}
