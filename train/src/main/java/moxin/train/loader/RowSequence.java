package moxin.train.loader;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import moxin.job.BadInputException;
import moxin.train.recipe.Exhausted;
import moxin.train.recipe.Packing;
import moxin.train.recipe.Phase;
import moxin.train.recipe.Source;

/// The rows of a phase by their number, counted from 0: from which source each comes and which
/// tokens it holds, without reading any token. The same phase, shards and seed give the same rows,
/// and each is found without those before it. Not thread-safe; borrows its sources.
public final class RowSequence {
  private final Phase phase;
  private final List<TokenSource> sources;
  private final List<Rows> rows;
  private final Mixture mixture;
  private final long available;

  private RowSequence(Phase phase, List<TokenSource> sources, List<Rows> rows, Mixture mixture) {
    this.phase = phase;
    this.sources = sources;
    this.rows = rows;
    this.mixture = mixture;
    long end = mixture.rows();
    for (int i = 0; i < rows.size(); i++) {
      long limit = limitOf(i);
      if (phase.sources().get(i).whenExhausted() == Exhausted.STOP) {
        end = Math.min(end, mixture.before(i, limit));
      }
    }
    this.available = end;
  }

  /// A row: some tokens of source number `source`.
  record SourceRow(int source, List<Piece> pieces) {}

  /// Some tokens of one document in a row.
  ///
  /// @param row within the phase
  /// @param position of its first token in the row
  /// @param source which of the phase's sources
  /// @param pass of the source, from 0
  /// @param document within the source, from 0
  /// @param offset of the first token in the document
  /// @param length how many tokens are read, a last one that is only a target included
  public record Part(
      long row, int position, int source, long pass, long document, long offset, int length) {}

  /// How much of a source some rows are.
  ///
  /// @param share of the rows, as the weights want it
  /// @param rows drawn
  /// @param passes over the source
  public record Usage(String source, double share, long rows, double passes) {}

  /// The rows of `phase`.
  ///
  /// @param sources one for each of the phase's, in their order
  /// @param seed of all shuffling
  /// @throws BadInputException if a source has no row, or a budget less than one
  public static RowSequence of(Phase phase, List<TokenSource> sources, long seed) {
    List<Rows> rows = new ArrayList<>();
    double[] weights = new double[sources.size()];
    long[] limits = new long[sources.size()];
    for (int i = 0; i < weights.length; i++) {
      Source recipe = phase.sources().get(i);
      rows.add(rowsOf(phase, sources.get(i), Permutation.mix(seed, i)));
      weights[i] = recipe.weight() == null ? sources.get(i).size() : recipe.weight();
      limits[i] = limitOf(phase, recipe, rows.get(i));
    }
    return new RowSequence(phase, sources, rows, new Mixture(weights, limits));
  }

  private static Rows rowsOf(Phase phase, TokenSource source, long seed) {
    if (phase.packing() == Packing.DOCUMENTS) {
      return phase.shuffle()
          ? new PackedRows(source, phase.contextLength(), seed)
          : new DocumentRows(source, phase.contextLength());
    }
    return new WindowRows(
        source, phase.contextLength(), phase.windowStride(), phase.shuffle(), seed);
  }

  private static long limitOf(Phase phase, Source recipe, Rows rows) {
    if (recipe.whenExhausted() == Exhausted.REPEAT) {
      return Long.MAX_VALUE;
    }
    Long maxTokens = recipe.maxTokens();
    Double maxEpochs = recipe.maxEpochs();
    long limit = maxTokens == null ? Long.MAX_VALUE : maxTokens / phase.contextLength();
    if (maxEpochs != null || maxTokens == null) {
      limit = Math.min(limit, rows.rowsOf(maxEpochs == null ? 1 : maxEpochs));
    }
    if (limit < 1) {
      throw new BadInputException(
          "source "
              + recipe.label()
              + ": maxEpochs and maxTokens leave less than one row of contextLength "
              + phase.contextLength());
    }
    return limit;
  }

  private long limitOf(int source) {
    return limitOf(phase, phase.sources().get(source), rows.get(source));
  }

  /// The identities, as their shards say, of the documents in `count` rows of a phase from
  /// `firstRow` on, each once.
  ///
  /// @param seed of all shuffling
  public static List<String> documentIds(
      Phase phase, List<TokenSource> sources, long seed, long firstRow, long count) {
    RowSequence sequence = of(phase, sources, seed);
    return LongStream.range(firstRow, firstRow + count)
        .boxed()
        .flatMap(row -> sequence.parts(row).stream())
        .map(part -> sources.get(part.source()).document(part.document()).id())
        .distinct()
        .toList();
  }

  /// How many rows there are before the sources are exhausted, or one that ends the phase is;
  /// [Long#MAX_VALUE] if there is no end.
  public long available() {
    return available;
  }

  /// The state of a loader after the first `count` rows.
  public LoaderState stateAfter(long count) {
    return new LoaderState(
        LongStream.of(mixture.after(count)).mapToObj(LoaderState.SourceState::new).toList());
  }

  /// What of each source a loader in `state` has drawn.
  public List<Usage> usage(LoaderState state) {
    List<Usage> usage = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      long drawn = state.sources().get(i).rows();
      usage.add(
          new Usage(
              phase.sources().get(i).label(),
              mixture.share(i),
              drawn,
              rows.get(i).passesOf(drawn)));
    }
    return usage;
  }

  /// What of each source the first `count` rows are.
  public List<Usage> usageAfter(long count) {
    return usage(stateAfter(count));
  }

  /// The documents in row `row`.
  public List<Part> parts(long row) {
    long[] drawn = mixture.after(row);
    int source = mixture.next(drawn);
    if (row >= available || source < 0) {
      throw new IllegalArgumentException("row " + row + " of " + available);
    }
    long number = drawn[source];
    long pass = (long) rows.get(source).passesOf(number);
    List<Part> parts = new ArrayList<>();
    int position = 0;
    for (Piece piece : rows.get(source).row(number)) {
      addParts(parts, new Part(row, position, source, pass, 0, 0, 0), piece);
      position += piece.count();
    }
    return parts;
  }

  /// A window may hold several documents, the end of one and the beginning of another.
  private void addParts(List<Part> parts, Part at, Piece piece) {
    TokenSource source = sources.get(at.source());
    long document = source.documentAt(piece.from());
    while (document < source.documentCount() && source.documentOffset(document) < piece.end()) {
      long first = Math.max(piece.from(), source.documentOffset(document));
      long documentEnd = source.documentOffset(document) + source.documentLength(document);
      long end = Math.min(piece.end(), documentEnd);
      if (end > first) {
        parts.add(
            new Part(
                at.row(),
                at.position() + (int) (first - piece.from()),
                at.source(),
                at.pass(),
                document,
                first - source.documentOffset(document),
                (int) (end - first)));
      }
      document++;
    }
  }

  /// The rows among the first `count` that hold a token of document `document` of source number
  /// `source`, in order.
  public LongStream rowsWith(int source, long document, long count) {
    long limit = mixture.after(Math.min(count, available))[source];
    return rows.get(source)
        .rowsWith(document, limit)
        .map(row -> mixture.before(source, row))
        .sorted();
  }

  /// The source of the row after `drawn` rows of each, or −1.
  int nextSource(long[] drawn) {
    long sum = LongStream.of(drawn).sum();
    return sum < available ? mixture.next(drawn) : -1;
  }

  SourceRow row(int source, long number) {
    return new SourceRow(source, rows.get(source).row(number));
  }
}
