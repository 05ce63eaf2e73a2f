package moxin.eval;

import java.nio.IntBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import moxin.job.Progress;
import moxin.model.LanguageModel;
import moxin.model.LanguageModel.Ingestion;
import moxin.model.LanguageModel.Session;
import moxin.model.LogitRows;
import moxin.model.Logits;
import org.jspecify.annotations.Nullable;

/// Scores token spans on a fixed number of lanes, each a session that takes one span after another
/// and rewinds to what two neighbours have in common: the context shared by the choices of a
/// question, the examples shared by all questions.
///
/// Spans with the same context form a cluster and stay on one lane; clusters are taken longest
/// first, so that the lanes end together. Which lane takes what depends on lengths only.
final class SpanScorer {
  private final LanguageModel model;
  private final RunnerOptions options;

  SpanScorer(LanguageModel model, RunnerOptions options) {
    this.model = model;
    this.options = options;
  }

  /// The scores of `spans`, in order.
  List<Response.Score> score(List<TokenSpan> spans, Progress progress) {
    Response.Score[] scores = new Response.Score[spans.size()];
    ArrayDeque<ArrayDeque<Integer>> clusters = clusters(spans, scores);
    long total = spans.stream().mapToLong(TokenSpan::scored).sum();
    int laneCount = Math.min(options.sessions(), clusters.size());
    List<Lane> lanes = new ArrayList<>();
    for (int i = 0; i < laneCount; i++) {
      lanes.add(new Lane());
    }
    try (Progress.Task task = progress.start("Score", total, "tokens")) {
      while (true) {
        List<Lane> active = new ArrayList<>();
        for (Lane lane : lanes) {
          if (lane.assign(spans, clusters)) {
            active.add(lane);
          }
        }
        if (active.isEmpty()) {
          return List.of(scores);
        }
        advance(active, scores, task);
      }
    } finally {
      lanes.forEach(Lane::close);
    }
  }

  private void advance(List<Lane> active, Response.Score[] scores, Progress.Task task) {
    int tokens = Math.max(1, options.tokensPerCall() / active.size());
    int rows = Math.max(1, options.rowsPerCall(model.config().vocabSize()) / active.size());
    List<Ingestion> ingestions = new ArrayList<>();
    for (Lane lane : active) {
      ingestions.add(lane.next(tokens, rows));
    }
    List<Logits> logits = model.ingest(ingestions);
    for (int i = 0; i < active.size(); i++) {
      Lane lane = active.get(i);
      task.advance(lane.take(logits.get(i)));
      if (lane.finished()) {
        scores[lane.index] = lane.score();
      }
    }
  }

  private static ArrayDeque<ArrayDeque<Integer>> clusters(
      List<TokenSpan> spans, Response.Score[] scores) {
    Map<IntBuffer, ArrayDeque<Integer>> byContext = new LinkedHashMap<>();
    for (int i = 0; i < spans.size(); i++) {
      TokenSpan span = spans.get(i);
      if (span.scored() == 0) {
        scores[i] = new Response.Score(0, true, 0);
      } else {
        IntBuffer context = IntBuffer.wrap(span.tokens(), 0, span.contextLength());
        byContext.computeIfAbsent(context, key -> new ArrayDeque<>()).add(i);
      }
    }
    List<ArrayDeque<Integer>> ordered = new ArrayList<>(byContext.values());
    ordered.sort(Comparator.comparingLong(cluster -> -work(cluster, spans)));
    return new ArrayDeque<>(ordered);
  }

  private static long work(ArrayDeque<Integer> cluster, List<TokenSpan> spans) {
    long scored = cluster.stream().mapToLong(i -> spans.get(i).scored()).sum();
    return spans.get(cluster.getFirst()).contextLength() + scored;
  }

  /// A session and the span it is reading.
  private final class Lane {
    private @Nullable Session session;
    private @Nullable TokenSpan span;
    private ArrayDeque<Integer> cluster = new ArrayDeque<>();
    private int[] held = new int[0];
    private int index;
    private double sum;
    private boolean greedy;

    /// Makes sure that there is a span under way; false when nothing is left for this lane.
    boolean assign(List<TokenSpan> spans, ArrayDeque<ArrayDeque<Integer>> clusters) {
      if (span != null && !finished()) {
        return true;
      }
      if (cluster.isEmpty()) {
        if (clusters.isEmpty()) {
          close();
          return false;
        }
        cluster = clusters.removeFirst();
      }
      index = cluster.removeFirst();
      begin(spans.get(index));
      return true;
    }

    private void begin(TokenSpan next) {
      span = next;
      sum = 0;
      greedy = true;
      Session open = session;
      int common = 0;
      if (open != null) {
        int limit = Math.min(open.position(), next.firstRow());
        while (common < limit && held[common] == next.tokens()[common]) {
          common++;
        }
        if (open.position() > common && !open.canRewindTo(common)) {
          open.close();
          open = null;
        }
      }
      if (open == null) {
        open = model.newSession();
      } else if (open.position() > common) {
        open.rewindTo(common);
      }
      session = open;
      held = next.tokens();
    }

    /// The next ids to read: context without logits, then what is scored with all of them.
    Ingestion next(int maxTokens, int maxRows) {
      Session open = opened();
      TokenSpan current = current();
      int from = open.position();
      boolean context = from < current.firstRow();
      int to =
          context
              ? Math.min(current.firstRow(), from + maxTokens)
              : Math.min(current.inputs(), from + maxRows);
      int[] ids = java.util.Arrays.copyOfRange(current.tokens(), from, to);
      return new Ingestion(open, ids, context ? LogitRows.NONE : LogitRows.ALL);
    }

    /// Takes the logits of the ids just read and returns how many ids were scored by them.
    int take(Logits logits) {
      TokenSpan current = current();
      int firstTarget = opened().position() - logits.rows() + 1;
      for (int row = 0; row < logits.rows(); row++) {
        int target = current.tokens()[firstTarget + row];
        sum += logits.logProbability(row, target);
        greedy &= logits.argmax(row) == target;
      }
      return logits.rows();
    }

    boolean finished() {
      return opened().position() == current().inputs();
    }

    Response.Score score() {
      return new Response.Score(sum, greedy, current().scored());
    }

    void close() {
      if (session != null) {
        session.close();
        session = null;
        span = null;
      }
    }

    private Session opened() {
      if (session == null) {
        throw new IllegalStateException("the lane has no session");
      }
      return session;
    }

    private TokenSpan current() {
      if (span == null) {
        throw new IllegalStateException("the lane has no span");
      }
      return span;
    }
  }
}
