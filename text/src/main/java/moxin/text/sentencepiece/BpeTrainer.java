package moxin.text.sentencepiece;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import moxin.job.Progress;
import moxin.text.sentencepiece.SentencePieceModel.Piece;
import moxin.text.sentencepiece.SentencePieceModel.PieceType;

/// Learns a BPE vocabulary with byte fallback from documents, in bounded memory: words are counted,
/// then their most frequent neighbours are merged. The same documents in the same order give the
/// same vocabulary.
///
/// Ids are laid out as in Mistral's file: unknown, begin, end, 256 bytes, user-defined symbols,
/// merges from the most frequent on, then characters.
public final class BpeTrainer {
  private static final int ADVANCE_CHARS = 1 << 16;

  private final TokenizerRecipe recipe;
  private final WordCounter counter;

  private BpeTrainer(TokenizerRecipe recipe) {
    this.recipe = recipe;
    this.counter = new WordCounter(recipe);
  }

  /// Trains a tokenizer on `documents`. Where they hold too few different words the vocabulary is
  /// smaller than asked for, which is reported.
  ///
  /// @throws IllegalArgumentException if there is no text
  public static TrainedTokenizer train(
      TokenizerRecipe recipe, Iterator<String> documents, Progress progress) {
    BpeTrainer trainer = new BpeTrainer(recipe);
    trainer.count(documents, progress);
    SentencePieceModel model = trainer.merge(progress);
    return new TrainedTokenizer(recipe, model);
  }

  /// Reads all documents and counts a share of them that halves as the sample fills, chosen by
  /// content and weighted so that the counts stay fair.
  private void count(Iterator<String> documents, Progress progress) {
    long sample = Objects.requireNonNull(recipe.sampleBytes());
    int halvings = 0;
    long room = Math.max(1, sample / 2);
    long taken = 0;
    long unreported = 0;
    try (Progress.Task task = progress.start("Count words", 0, "characters")) {
      while (documents.hasNext()) {
        String document = documents.next();
        unreported += document.length();
        if (unreported >= ADVANCE_CHARS) {
          task.advance(unreported);
          unreported = 0;
        }
        if (halvings > 0 && (mixed(document.hashCode()) & ((1L << halvings) - 1)) != 0) {
          continue;
        }
        counter.add(document, 1L << halvings);
        taken += document.length();
        if (taken >= room && halvings < 30) {
          halvings++;
          taken = 0;
          room = Math.max(1, sample >> (halvings + 1));
        }
      }
      task.advance(unreported);
    }
  }

  private static long mixed(int hash) {
    long h = hash * 0x9E3779B97F4A7C15L;
    return ((h ^ (h >>> 29)) * 0xBF58476D1CE4E5B9L) >>> 20;
  }

  private SentencePieceModel merge(Progress progress) {
    List<Map.Entry<String, Long>> words = counter.words();
    if (words.isEmpty()) {
      throw new IllegalArgumentException("there is no text to train a tokenizer on");
    }
    List<String> symbols = Objects.requireNonNull(recipe.userDefinedSymbols());
    int room =
        Objects.requireNonNull(recipe.vocabSize()) - TokenizerRecipe.FIXED_PIECES - symbols.size();
    List<String> characters = characters(words, Math.max(1, room / 2));
    PairMerger merger = new PairMerger(characters, counter::mayMerge);
    addWords(merger, words, characters);
    merger.begin();
    Set<String> taken = new HashSet<>(symbols);
    List<String> merges = new ArrayList<>();
    int wanted = room - characters.size();
    try (Progress.Task task = progress.start("Merge pieces", wanted, "pieces")) {
      while (merges.size() < wanted) {
        String piece = merger.merge();
        if (piece == null) {
          progress.note(
              "The text has too few different words for "
                  + recipe.vocabSize()
                  + " pieces; the vocabulary has "
                  + (recipe.vocabSize() - wanted + merges.size()));
          break;
        }
        if (taken.add(spelled(piece))) {
          merges.add(piece);
        }
        task.advance(1);
      }
    }
    characters.removeIf(character -> !taken.add(spelled(character)));
    return model(merges, characters);
  }

  private static void addWords(
      PairMerger merger, List<Map.Entry<String, Long>> words, List<String> characters) {
    Set<Integer> known = new HashSet<>();
    characters.forEach(character -> known.add(character.codePointAt(0)));
    for (Map.Entry<String, Long> word : words) {
      int[] codePoints = word.getKey().codePoints().toArray();
      int start = 0;
      for (int i = 0; i <= codePoints.length; i++) {
        if (i == codePoints.length || !known.contains(codePoints[i])) {
          if (i - start > 1) {
            merger.add(Arrays.copyOfRange(codePoints, start, i), word.getValue());
          }
          start = i + 1;
        }
      }
    }
  }

  /// The most frequent characters that together cover the asked share of the text, the space first.
  private List<String> characters(List<Map.Entry<String, Long>> words, int limit) {
    Map<Integer, Long> counts = new HashMap<>();
    long total = 0;
    for (Map.Entry<String, Long> word : words) {
      long weight = word.getValue();
      total += weight * word.getKey().codePointCount(0, word.getKey().length());
      word.getKey().codePoints().forEach(c -> counts.merge(c, weight, Long::sum));
    }
    counts.remove((int) '\0');
    List<String> characters = new ArrayList<>(List.of(" "));
    long covered = counts.getOrDefault((int) ' ', 0L);
    counts.remove((int) ' ');
    List<Map.Entry<Integer, Long>> order = new ArrayList<>(counts.entrySet());
    order.sort(
        Map.Entry.<Integer, Long>comparingByValue(Comparator.reverseOrder())
            .thenComparing(Map.Entry.comparingByKey()));
    double enough = total * Objects.requireNonNull(recipe.characterCoverage());
    for (Map.Entry<Integer, Long> entry : order) {
      if (covered >= enough || characters.size() >= limit) {
        break;
      }
      covered += entry.getValue();
      int codePoint = entry.getKey();
      boolean surrogate =
          codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
      if (!surrogate) {
        characters.add(Character.toString(codePoint));
      }
    }
    return characters;
  }

  private SentencePieceModel model(List<String> merges, List<String> characters) {
    List<Piece> pieces = new ArrayList<>();
    pieces.add(new Piece("<unk>", 0, PieceType.UNKNOWN));
    pieces.add(new Piece("<s>", 0, PieceType.CONTROL));
    pieces.add(new Piece("</s>", 0, PieceType.CONTROL));
    for (int b = 0; b < 256; b++) {
      pieces.add(new Piece("<0x%02X>".formatted(b), 0, PieceType.BYTE));
    }
    List<String> symbols = Objects.requireNonNull(recipe.userDefinedSymbols());
    for (String symbol : symbols) {
      pieces.add(new Piece(spelled(symbol), 0, PieceType.USER_DEFINED));
    }
    int rank = 0;
    for (List<String> texts : List.of(merges, characters)) {
      for (String text : texts) {
        pieces.add(new Piece(spelled(text), -(float) rank++, PieceType.NORMAL));
      }
    }
    return new SentencePieceModel(
        pieces,
        SentencePieceModel.Trainer.bpe(symbols),
        SentencePieceModel.Normaliser.identity(Boolean.TRUE.equals(recipe.addDummyPrefix())));
  }

  private static String spelled(String text) {
    return text.replace(' ', SentencePieceModel.SPACE);
  }
}
